#include "base/loop.h"

#include <map>
#include <mutex>
#include <set>

namespace kura {
namespace {

// A spawned task owns its own frame until it ends.
struct Root {
  struct promise_type {
    Root get_return_object() {
      return Root{std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }  // Destroys itself.
    void return_void() {}
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};

struct Registry {
  std::mutex mutex;
  std::map<const Loop*, std::set<void*>> roots;
};

Registry& registry() {
  static auto* one = new Registry;  // Never destroyed: tasks may outlive main's statics.
  return *one;
}

struct Registration {
  const Loop* loop;
  void* address = nullptr;
  ~Registration() {
    if (!address) return;
    std::lock_guard lock(registry().mutex);
    auto it = registry().roots.find(loop);
    if (it == registry().roots.end()) return;
    it->second.erase(address);
    if (it->second.empty()) registry().roots.erase(it);
  }
};

Root run_root(Task<void> task, const Loop* loop) {
  Registration own{loop, nullptr};
  struct Self {
    bool await_ready() noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> h) noexcept {
      address = h.address();
      return false;
    }
    void* await_resume() noexcept { return address; }
    void* address = nullptr;
  };
  own.address = co_await Self{};
  co_await std::move(task);
}

}  // namespace

void spawn(Loop& loop, Task<void> task) {
  Root root = run_root(std::move(task), &loop);
  {
    std::lock_guard lock(registry().mutex);
    registry().roots[&loop].insert(root.handle.address());
  }
  loop.post([handle = root.handle] { handle.resume(); });
}

size_t spawned_tasks(const Loop& loop) {
  std::lock_guard lock(registry().mutex);
  auto it = registry().roots.find(&loop);
  return it == registry().roots.end() ? 0 : it->second.size();
}

void destroy_spawned_tasks(const Loop& loop) {
  std::set<void*> roots;
  {
    std::lock_guard lock(registry().mutex);
    auto it = registry().roots.find(&loop);
    if (it == registry().roots.end()) return;
    roots.swap(it->second);
    registry().roots.erase(it);
  }
  for (void* address : roots) std::coroutine_handle<>::from_address(address).destroy();
}

}  // namespace kura
