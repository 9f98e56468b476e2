// Frames are read as PyFrameObject reads them, but without making frame objects, which takes longer than the rest of a
// call. The first two members of a frame are the same from CPython 3.13 to 3.15; what else is read has functions.
//
// Strings and line tables of code objects never change, and a thread that waits keeps its frames, and these their code,
// alive. So they are read when the thread goes to sleep, detached from the interpreter, and only then.
#include "base/call_site.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/ref.h"

namespace xichan::python {

using namespace internal;
namespace {

static_assert(PY_VERSION_HEX >= 0x030d0000 && PY_VERSION_HEX < 0x03100000, "check the layout of _PyInterpreterFrame");

struct Frame {
  std::uintptr_t executable;  // an object with tags in the low bits
  Frame* previous;

  // Returns null for a frame without Python code.
  PyCodeObject* code() const noexcept {
    auto* const object = reinterpret_cast<PyObject*>(executable & ~std::uintptr_t{7});
    return object != nullptr && PyCode_Check(object) ? reinterpret_cast<PyCodeObject*>(object) : nullptr;
  }
  int offset() noexcept { return PyUnstable_InterpreterFrame_GetLasti(reinterpret_cast<_PyInterpreterFrame*>(this)); }
};

Frame* current_frame() noexcept { return reinterpret_cast<Frame*>(PyThreadState_Get()->current_frame); }

/// The folder of the package, as the data of a str. Immortal.
struct Folder {
  int kind;
  Py_ssize_t length;
  std::size_t size;
  unsigned char data[1];
};
constinit atomic<const Folder*> package_folder{nullptr};

bool is_in_package(const PyCodeObject* code) noexcept {
  // acquire: it is written before it is read
  const Folder* const folder = package_folder.load(memory_order_acquire);
  PyObject* const file = code->co_filename;
  return folder != nullptr && folder->kind == static_cast<int>(PyUnicode_KIND(file)) &&
         folder->length < PyUnicode_GET_LENGTH(file) &&
         std::memcmp(PyUnicode_DATA(file), folder->data, folder->size) == 0;
}

bool ends_with(PyObject* text, std::string_view end) noexcept {
  return PyUnicode_IS_COMPACT_ASCII(text) && std::string_view(static_cast<const char*>(PyUnicode_DATA(text)),
                                                              static_cast<std::size_t>(PyUnicode_GET_LENGTH(text)))
                                                 .ends_with(end);
}

// The line table of a code object: Objects/locations.md of CPython 3.13, InternalDocs/code_objects.md of later ones.
class LineTable {
 public:
  explicit LineTable(const PyCodeObject& code) noexcept
      : at_(reinterpret_cast<const unsigned char*>(PyBytes_AS_STRING(code.co_linetable))),
        end_(at_ + PyBytes_GET_SIZE(code.co_linetable)),
        line_(code.co_firstlineno) {}

  /// Returns the line of the instruction at this offset in bytes; that of the one before it if it has none.
  int find(int offset) noexcept {
    int known = line_;
    for (int begin = 0; at_ < end_;) {
      const unsigned first = *at_++;
      const unsigned kind = first >> 3 & 15;
      const int size = static_cast<int>((first & 7) + 1) * 2;
      if (kind == 13 || kind == 14) line_ += read_signed();
      if (kind >= 10 && kind <= 12) line_ += static_cast<int>(kind) - 10;
      while (at_ < end_ && (*at_ & 0x80) == 0) ++at_;  // the columns
      if (kind != 15) known = line_;
      begin += size;
      if (offset < begin) break;
    }
    return known;
  }

 private:
  int read_signed() noexcept {
    unsigned value = 0;
    for (unsigned shift = 0; at_ < end_; shift += 6) {
      const unsigned byte = *at_++;
      value |= (byte & 63) << (shift & 31);
      if ((byte & 64) == 0) break;
    }
    return value & 1 ? -static_cast<int>(value >> 1) : static_cast<int>(value >> 1);
  }

  const unsigned char* at_;
  const unsigned char* const end_;
  int line_;
};

constexpr std::string_view nats_folder = "/xichan/nats/";

void describe(const WaitCaller& caller, std::string_view call, void (*take)(void*, const WaitText&) noexcept,
              void* context) noexcept {
  const auto* const code = static_cast<const PyCodeObject*>(caller.code);
  const auto* const library = static_cast<const PyCodeObject*>(caller.library);
  const StrText called(library == nullptr ? nullptr : library->co_qualname);
  const StrText called_in(library == nullptr ? nullptr : library->co_filename);
  const StrText function(code == nullptr ? nullptr : code->co_qualname);
  const StrText file(code == nullptr ? nullptr : code->co_filename);
  WaitText text;
  // The coroutines behind the methods are plain functions: the methods have better names.
  const bool is_method = library == nullptr ||
                         ((library->co_flags & CO_COROUTINE) != 0 && called.view().find('.') == std::string_view::npos);
  char remote[most_call_bytes];  // the classes of xichan.nats have the names of local ones
  if (called_in.view().find(nats_folder) != std::string_view::npos) {
    const std::size_t length = std::min(called.view().size(), sizeof remote - 5);
    std::memcpy(remote, "nats.", 5);
    std::memcpy(remote + 5, called.view().data(), length);
    text.set_call({remote, length + 5});
  } else {
    // A worker that calls a function of this module as its task: no code of the package does so on behalf of the user.
    const bool is_task = called_in.view().ends_with("/xichan/pool/worker_entry.py");
    text.set_call(is_method || is_task ? call : called.view());
  }
  text.set_function(function.view());
  if (code != nullptr) text.set_place(file.view(), static_cast<std::uint32_t>(LineTable(*code).find(caller.position)));
  take(context, text);
}

}  // namespace

CallSite find_call_site() noexcept {
  CallSite site;
  Frame* library = nullptr;
  for (Frame* frame = current_frame(); frame != nullptr; frame = frame->previous) {
    PyCodeObject* const code = frame->code();
    if (code == nullptr) continue;
    if (is_in_package(code)) {
      library = frame;
      continue;
    }
    site.code = code;
    site.offset = frame->offset();
    break;
  }
  if (library != nullptr) site.library = library->code();
  if (site.code == nullptr && library != nullptr) {  // a thread of the package: its own code is all there is to show
    site.code = std::exchange(site.library, nullptr);
    site.offset = library->offset();
  }
  return site;
}

bool is_called_by_package_alone() noexcept {
  for (Frame* frame = current_frame(); frame != nullptr; frame = frame->previous) {
    PyCodeObject* const code = frame->code();
    if (code == nullptr || is_in_package(code) || ends_with(code->co_filename, "/threading.py")) continue;
    // What starts a worker is a string: "<string>", "<script>".
    if (!ends_with(code->co_filename, ">")) return false;
  }
  return true;
}

bool is_called_by_nats() noexcept {
  const PyCodeObject* const library = find_call_site().library;
  return library != nullptr && StrText(library->co_filename).view().find(nats_folder) != std::string_view::npos;
}

int find_package_folder() noexcept {
  if (package_folder.load(memory_order_acquire) != nullptr) return 0;
  const Ref name(PyUnicode_FromString("xichan"));
  const Ref package(name ? PyImport_GetModule(name.get()) : nullptr);
  if (!package) return PyErr_Occurred() ? -1 : 0;  // imported without its package
  const Ref path(PyObject_GetAttrString(package.get(), "__path__"));
  const Ref first(path ? PySequence_GetItem(path.get(), 0) : nullptr);
  const Ref text(first ? PyUnicode_FromFormat("%S/", first.get()) : nullptr);
  if (!text) return -1;
  const std::size_t size = static_cast<std::size_t>(PyUnicode_GET_LENGTH(text.get())) * PyUnicode_KIND(text.get());
  auto* const folder = static_cast<Folder*>(std::malloc(sizeof(Folder) + size));
  if (folder == nullptr) return PyErr_NoMemory(), -1;
  folder->kind = static_cast<int>(PyUnicode_KIND(text.get()));
  folder->length = PyUnicode_GET_LENGTH(text.get());
  folder->size = size;
  std::memcpy(folder->data, PyUnicode_DATA(text.get()), size);
  const Folder* other = nullptr;
  // release, with the acquire in `is_in_package`
  if (!package_folder.compare_exchange_strong(other, folder, memory_order_acq_rel, memory_order_acquire)) {
    std::free(folder);
  }
  return 0;
}

WaitCaller CallSite::as_caller(std::int64_t interpreter) const noexcept {
  return {.interpreter = interpreter, .describe = describe, .code = code, .library = library, .position = offset};
}

int CallSite::line() const noexcept { return code == nullptr ? 0 : LineTable(*code).find(offset); }

StrText::StrText(PyObject* text) noexcept {
  if (text == nullptr) return;
  const auto length = static_cast<std::size_t>(PyUnicode_GET_LENGTH(text));
  if (PyUnicode_IS_COMPACT_ASCII(text)) {
    view_ = {static_cast<const char*>(PyUnicode_DATA(text)), length};
    return;
  }
  // From the end, as long as the bytes of one more character fit.
  const auto kind = static_cast<int>(PyUnicode_KIND(text));
  std::size_t begin = most;
  for (std::size_t i = length; i-- > 0 && begin >= 4;) {
    const Py_UCS4 character = PyUnicode_READ(kind, PyUnicode_DATA(text), static_cast<Py_ssize_t>(i));
    const auto put = [&](Py_UCS4 byte) noexcept { buffer_[--begin] = static_cast<char>(byte); };
    if (character < 0x80) {
      put(character);
      continue;
    }
    put(0x80 | (character & 0x3f));
    if (character < 0x800) {
      put(0xc0 | character >> 6);
      continue;
    }
    put(0x80 | (character >> 6 & 0x3f));
    if (character < 0x10000) {
      put(0xe0 | character >> 12);
      continue;
    }
    put(0x80 | (character >> 12 & 0x3f));
    put(0xf0 | character >> 18);
  }
  view_ = {buffer_ + begin, most - begin};
}

}  // namespace xichan::python
