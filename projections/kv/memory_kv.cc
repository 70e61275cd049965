#include "projections/kv/memory_kv.h"

#include "base/check.h"

namespace kura {

// A treap whose nodes are shared between versions: a change copies the path from the root to the
// key, unless no other version holds it, so taking a snapshot is copying one pointer.
struct MemoryKv::Node {
  std::shared_ptr<const KvBatch::Change> entry;  // Its value is always there.
  uint64_t priority = 0;                         // No child's is higher.
  Tree left, right;
};

namespace {

using Node = MemoryKv::Node;
using Tree = MemoryKv::Tree;

std::string_view key_of(const Node& n) { return n.entry->key; }

// The shape depends on the keys alone, not on their order of arrival or on the run. FNV-1a, then
// the finalizer of splitmix64.
uint64_t priority_of(std::string_view key) {
  uint64_t h = 0xcbf29ce484222325;
  for (char c : key) h = (h ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9;
  h = (h ^ h >> 27) * 0x94d049bb133111eb;
  return h ^ h >> 31;
}

// Makes `tree` safe to change. A node is held by one version alone if its own count is one and all
// its ancestors were made safe before: copying a parent adds one to its children's counts.
void own(Tree& tree) {
  if (tree.use_count() != 1) tree = std::make_shared<Node>(*tree);
}

// Splits into the keys below `key` and those at or above it.
void split(Tree tree, std::string_view key, Tree& below, Tree& rest) {
  if (!tree) {
    below = rest = nullptr;
    return;
  }
  own(tree);
  if (key_of(*tree) < key) {
    split(std::move(tree->right), key, tree->right, rest);
    below = std::move(tree);
  } else {
    split(std::move(tree->left), key, below, tree->left);
    rest = std::move(tree);
  }
}

// REQUIRES: every key of `a` is below every key of `b`.
Tree merge(Tree a, Tree b) {
  if (!a) return b;
  if (!b) return a;
  if (a->priority >= b->priority) {
    own(a);
    a->right = merge(std::move(a->right), std::move(b));
    return a;
  }
  own(b);
  b->left = merge(std::move(a), std::move(b->left));
  return b;
}

void put(Tree& tree, std::shared_ptr<const KvBatch::Change> entry, uint64_t priority) {
  if (tree && tree->priority >= priority) {
    own(tree);
    if (entry->key == key_of(*tree)) {
      tree->entry = std::move(entry);
    } else {
      Tree& side = entry->key < key_of(*tree) ? tree->left : tree->right;
      put(side, std::move(entry), priority);
    }
    return;
  }
  // The key is not below here: its node would have this priority.
  auto node = std::make_shared<Node>();
  split(std::move(tree), entry->key, node->left, node->right);
  node->entry = std::move(entry);
  node->priority = priority;
  tree = std::move(node);
}

void remove(Tree& tree, std::string_view key) {
  if (!tree) return;
  own(tree);
  if (key == key_of(*tree)) {
    Tree left = std::move(tree->left), right = std::move(tree->right);
    tree = merge(std::move(left), std::move(right));
  } else {
    remove(key < key_of(*tree) ? tree->left : tree->right, key);
  }
}

const Node* find(const Node* n, std::string_view key) {
  while (n && key != key_of(*n)) n = key < key_of(*n) ? n->left.get() : n->right.get();
  return n;
}

class MemoryIterator final : public KvIterator {
 public:
  MemoryIterator(Tree root, std::mutex& mutex) : root_(std::move(root)), mutex_(mutex) {}
  ~MemoryIterator() override {
    // A writer asks how many hold a node.
    std::lock_guard lock(mutex_);
    root_.reset();
  }

  void seek(std::string_view key) override {
    ahead_.clear();
    for (const Node* n = root_.get(); n;) {
      bool before = key_of(*n) < key;
      if (!before) ahead_.push_back(n);
      n = before ? n->right.get() : n->left.get();
    }
  }

  void next() override {
    INVARIANT(valid(), "next() needs an entry");
    const Node* n = ahead_.back()->right.get();
    ahead_.pop_back();
    for (; n; n = n->left.get()) ahead_.push_back(n);
  }

  bool valid() const override { return !ahead_.empty(); }
  std::string_view key() const override { return key_of(*ahead_.back()); }
  std::string_view value() const override { return *ahead_.back()->entry->value; }
  Result<void> status() const override { return {}; }

 private:
  Tree root_;
  std::mutex& mutex_;
  std::vector<const Node*> ahead_;  // The current entry is last; its later ancestors before it.
};

}  // namespace

MemoryKv::MemoryKv() = default;
MemoryKv::~MemoryKv() = default;

Result<std::optional<std::string>> MemoryKv::get(std::string_view key) {
  std::lock_guard lock(mutex_);
  const Node* n = find(root_.get(), key);
  if (!n) return std::nullopt;
  return n->entry->value;
}

void MemoryKv::apply(const KvBatch& batch) {
  for (const KvBatch::Change& change : batch.changes()) {
    uint64_t priority = priority_of(change.key);
    if (change.value) {
      put(root_, std::make_shared<const KvBatch::Change>(change), priority);
    } else if (find(root_.get(), change.key)) {
      remove(root_, change.key);
    }
  }
}

Result<void> MemoryKv::write(const KvBatch& batch) {
  std::lock_guard lock(mutex_);
  apply(batch);
  unflushed_.push_back(batch);
  return {};
}

Result<void> MemoryKv::flush() {
  std::lock_guard lock(mutex_);
  flushed_ = root_;
  unflushed_.clear();
  return {};
}

std::unique_ptr<KvIterator> MemoryKv::iterate() {
  std::lock_guard lock(mutex_);
  return std::make_unique<MemoryIterator>(root_, mutex_);
}

void MemoryKv::crash(size_t batches_kept) {
  std::lock_guard lock(mutex_);
  INVARIANT(batches_kept <= unflushed_.size(), "a crash keeps no batch that was never written");
  root_ = flushed_;
  unflushed_.resize(batches_kept);
  for (const KvBatch& batch : unflushed_) apply(batch);
  // What was found after the crash is on the drive.
  flushed_ = root_;
  unflushed_.clear();
}

size_t MemoryKv::unflushed_batches() const {
  std::lock_guard lock(mutex_);
  return unflushed_.size();
}

void MemoryKv::wipe() {
  std::lock_guard lock(mutex_);
  root_ = flushed_ = nullptr;
  unflushed_.clear();
}

}  // namespace kura
