// PointerMap finds exactly the inserted keys at any size.
#include <gtest/gtest.h>

#include <vector>

#include "base/pointer_map.h"

namespace xichan::internal {
namespace {

TEST(PointerMap, FindsInsertedKeysOnly) {
  std::vector<char> places(100'000);
  PointerMap<std::size_t> map;
  EXPECT_EQ(map.find(&places[0]), nullptr);
  for (std::size_t i = 0; i < places.size(); i += 2) {
    std::size_t* value = map.insert(&places[i]);
    ASSERT_NE(value, nullptr);
    EXPECT_EQ(*value, 0u) << "new values are zeroed";
    *value = i + 1;
  }
  EXPECT_EQ(map.size(), places.size() / 2);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::size_t* value = map.find(&places[i]);
    ASSERT_EQ(value != nullptr, i % 2 == 0);
    if (value != nullptr) {
      EXPECT_EQ(*value, i + 1);
    }
  }
  EXPECT_EQ(*map.insert(&places[0]), 1u) << "the key exists";
  EXPECT_EQ(map.size(), places.size() / 2);
}

TEST(PointerMap, ReserveFailsWithoutMemory) {
  PointerMap<int> map;
  EXPECT_FALSE(map.reserve(SIZE_MAX));
  EXPECT_FALSE(map.reserve(SIZE_MAX / 64));
  EXPECT_EQ(map.size(), 0u);
  EXPECT_TRUE(map.reserve(1000));
}

}  // namespace
}  // namespace xichan::internal
