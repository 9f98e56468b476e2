// Writes bodies with containers from a description, including invalid ones.
#pragma once

#include <cstring>
#include <deque>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "value/bodies.h"

namespace xichan::test {

/// A value to write. A container has `parts`; a repeat names another node of the tree, which must come before it.
struct Node {
  Cell cell;
  std::vector<Node*> parts;
  std::string payload;
  Node* first = nullptr;
  std::uint64_t offset = 0;
};

class BodyWriter {
 public:
  Node* of(const Cell& cell) { return add({cell}); }
  Node* number(std::int64_t value) { return of(Cell::integer(value)); }
  Node* none() { return of(Cell::none()); }
  Node* real(double value) { return of(Cell::real(value)); }
  Node* text(const std::string& ascii) {
    if (fits_short(ascii.size(), 1)) return of(Cell::of_short(Tag::short_ascii, ascii.data(), ascii.size()));
    return add({Cell::of(Tag::ascii, ascii.size()), {}, ascii + '\0'});
  }
  Node* bytes(const std::string& data) {
    if (fits_short(data.size(), 1)) return of(Cell::of_short(Tag::short_bytes, data.data(), data.size()));
    return add({Cell::of(Tag::bytes, data.size()), {}, data});
  }
  Node* big_int(std::vector<std::uint64_t> limbs) {
    return add({Cell::of(Tag::big_int, limbs.size() * 8),
                {},
                std::string(reinterpret_cast<const char*>(limbs.data()), limbs.size() * 8)});
  }
  Node* container(Tag tag, std::vector<Node*> parts) { return add({Cell::of(tag), std::move(parts)}); }
  Node* tuple(std::vector<Node*> parts) { return container(Tag::tuple, std::move(parts)); }
  Node* list(std::vector<Node*> parts) { return container(Tag::list, std::move(parts)); }
  Node* set(std::vector<Node*> parts) { return container(Tag::set, std::move(parts)); }
  Node* dict(std::vector<Node*> parts) { return container(Tag::dict, std::move(parts)); }
  Node* record(std::vector<Node*> parts) { return container(Tag::record, std::move(parts)); }
  Node* index() { return of(Cell::of(Tag::index)); }
  Node* array(ArrayKind kind, Node* format, std::vector<std::int64_t> shape, const std::string& content) {
    std::vector<Node*> lengths;
    for (const std::int64_t length : shape) lengths.push_back(number(length));
    return container(Tag::array, {number(static_cast<std::int64_t>(kind)), format, tuple(lengths), bytes(content)});
  }
  Node* repeat(Node* first) {
    Node* node = add({Cell::of(Tag::repeat)});
    node->first = first;
    return node;
  }

  /// Returns the body with this root.
  Body write(Node* root) {
    std::vector<Node*> order{root};
    for (std::size_t i = 0; i < order.size(); ++i) {
      for (Node* part : order[i]->parts) order.push_back(part);
    }
    for (std::size_t i = 0; i < order.size(); ++i) order[i]->offset = i * sizeof(Cell);
    std::uint64_t cells = sizeof(Cell), payloads = order.size() * sizeof(Cell);
    Body body(payloads);
    for (Node* node : order) {
      Cell& cell = node->cell;
      if (cell.has_elements()) {
        const std::uint64_t empty = cell.tag() == Tag::tuple ? 0 : node->offset;
        cell = Cell::of(cell.tag(), node->parts.size(), node->parts.empty() ? empty : cells);
        cells += node->parts.size() * sizeof(Cell);
      } else if (cell.has_payload()) {
        cell = Cell::of(cell.tag(), cell.length(), payloads);
        payloads += align_up(node->payload.size(), 8);
        body.resize(payloads);
        std::memcpy(body.data() + cell.word, node->payload.data(), node->payload.size());
      }
    }
    for (Node* node : order) {
      if (node->first == nullptr) continue;
      node->cell.word = node->first->offset;
      node->first->cell.mark_repeated();
    }
    for (Node* node : order) std::memcpy(body.data() + node->offset, &node->cell, sizeof(Cell));
    body.resize(align_up(body.size(), 16));
    return body;
  }

 private:
  Node* add(Node node) {
    nodes_.push_back(std::move(node));
    return &nodes_.back();
  }

  std::deque<Node> nodes_;
};

}  // namespace xichan::test
