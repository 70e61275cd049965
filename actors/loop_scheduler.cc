#include "actors/loop_scheduler.h"

#include <caf/all.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <vector>

#include "actors/loop_scheduler_clock.h"

namespace kura {
namespace {

// Messages of one actor, and actors, before the sockets of the loop are looked at again.
constexpr size_t kMessagesPerResume = 1024;
constexpr size_t kResumesPerTurn = 1024;

class Units;

// One loop as CAF sees it: a queue of actors that have messages.
class Unit : public caf::execution_unit, public std::enable_shared_from_this<Unit> {
 public:
  Unit(caf::actor_system* system, Loop& loop, Units& units)
      : caf::execution_unit(system), loop_(loop), units_(units) {}

  // From an actor that this unit runs, for a receiver that may live elsewhere.
  void exec_later(caf::resumable* job) override;
  // Takes over one reference. From any thread.
  void schedule(caf::resumable* job);
  // Runs what is ready, on the calling thread.
  void run();
  bool idle() const { return ready_.empty(); }
  void move_remote_to_ready();
  // Gives the references up without running anything.
  void drop_ready();

 private:
  void arm();

  Loop& loop_;
  Units& units_;
  // On the loop.
  std::deque<caf::resumable*> ready_;
  bool armed_ = false;
  // From other threads.
  std::mutex mutex_;
  std::vector<caf::resumable*> remote_;
};

// Which actor runs on which loop.
class Units {
 public:
  explicit Units(Loop& home) : home_loop_(home) {}

  // Before any other call; the system exists from here on.
  void start(caf::actor_system& system) {
    system_ = &system;
    unit_of(home_loop_);
  }
  std::shared_ptr<Unit> unit_of(Loop& loop);
  void assign(caf::abstract_actor* actor, Unit& unit);
  // To the unit of the actor; an unknown one becomes the running unit's, or the one being placed
  // on.
  void route(caf::resumable* job, Unit* running);
  bool stopped() const { return stopped_.load(std::memory_order_acquire); }
  // Ends all actors.
  void stop();
  // Runs every unit on the calling thread until none has work.
  void run_all();

 private:
  struct Home {
    std::shared_ptr<Unit> unit;
    caf::weak_actor_ptr actor;
  };
  std::vector<std::shared_ptr<Unit>> units();
  Unit* find(caf::actor_id id) {
    std::shared_lock lock(mutex_);
    auto it = homes_.find(id);
    return it == homes_.end() ? nullptr : it->second.unit.get();
  }

  Loop& home_loop_;
  caf::actor_system* system_ = nullptr;
  std::atomic<bool> stopped_{false};
  std::shared_mutex mutex_;
  std::map<Loop*, std::shared_ptr<Unit>> units_;
  std::map<caf::actor_id, Home> homes_;  // Of living actors; in order, so that stop() is too.
};

// The unit that this thread spawns on, and whose it is.
thread_local const void* placing_host = nullptr;
thread_local Unit* placing_unit = nullptr;

void Unit::exec_later(caf::resumable* job) { units_.route(job, this); }

void Unit::schedule(caf::resumable* job) {
  if (loop_.is_current() || units_.stopped()) {
    ready_.push_back(job);
    arm();
    return;
  }
  bool first;
  {
    std::lock_guard lock(mutex_);
    first = remote_.empty();
    remote_.push_back(job);
  }
  if (!first) return;
  loop_.post([weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->move_remote_to_ready();
    self->arm();
  });
}

void Unit::move_remote_to_ready() {
  std::lock_guard lock(mutex_);
  ready_.insert(ready_.end(), remote_.begin(), remote_.end());
  remote_.clear();
}

void Unit::drop_ready() {
  move_remote_to_ready();
  for (caf::resumable* job : ready_) caf::intrusive_ptr_release(job);
  ready_.clear();
}

// The actors run when the turn ends, so that what the turn sends to one of them is one batch.
void Unit::arm() {
  if (armed_ || units_.stopped()) return;
  armed_ = true;
  loop_.at_turn_end([weak = weak_from_this()] {
    auto self = weak.lock();
    if (self) self->run();
  });
}

void Unit::run() {
  armed_ = true;  // What becomes ready meanwhile runs below.
  for (size_t i = 0; i < kResumesPerTurn && !ready_.empty(); ++i) {
    caf::resumable* job = ready_.front();
    ready_.pop_front();
    switch (job->resume(this, kMessagesPerResume)) {
      case caf::resumable::resume_later:
        ready_.push_back(job);
        break;
      case caf::resumable::shutdown_execution_unit:
        break;
      default:
        caf::intrusive_ptr_release(job);
    }
  }
  armed_ = false;
  if (!ready_.empty()) arm();
}

std::shared_ptr<Unit> Units::unit_of(Loop& loop) {
  std::unique_lock lock(mutex_);
  std::shared_ptr<Unit>& unit = units_[&loop];
  if (!unit) unit = std::make_shared<Unit>(system_, loop, *this);
  return unit;
}

void Units::assign(caf::abstract_actor* actor, Unit& unit) {
  {
    std::unique_lock lock(mutex_);
    Home& home = homes_[actor->id()];
    bool known = home.unit != nullptr;
    home.unit = unit.shared_from_this();
    if (known) return;
    home.actor = caf::weak_actor_ptr(actor->ctrl());
  }
  // Outside the lock: it runs at once for an actor that has ended already.
  actor->attach_functor([this, id = actor->id()] {
    std::unique_lock lock(mutex_);
    homes_.erase(id);
  });
}

void Units::route(caf::resumable* job, Unit* running) {
  Unit* unit = nullptr;
  caf::scheduled_actor* actor = nullptr;
  if (job->subtype() == caf::resumable::scheduled_actor) {
    actor = static_cast<caf::scheduled_actor*>(job);
    unit = find(actor->id());
  }
  if (!unit) {
    unit = placing_host == this ? placing_unit : running;
    std::shared_ptr<Unit> home = unit ? nullptr : unit_of(home_loop_);
    if (!unit) unit = home.get();
    if (actor) assign(actor, *unit);
  }
  unit->schedule(job);
}

std::vector<std::shared_ptr<Unit>> Units::units() {
  std::shared_lock lock(mutex_);
  std::vector<std::shared_ptr<Unit>> all;
  for (auto& [loop, unit] : units_) all.push_back(unit);
  return all;
}

void Units::run_all() {
  for (bool worked = true; worked;) {
    worked = false;
    for (auto& unit : units()) {
      unit->move_remote_to_ready();
      if (unit->idle()) continue;
      unit->run();
      worked = true;
    }
  }
}

void Units::stop() {
  stopped_.store(true, std::memory_order_release);
  std::shared_ptr<Unit> home = unit_of(home_loop_);
  // Not by exit messages: those would queue behind commands that then still ran.
  std::vector<caf::strong_actor_ptr> living;
  {
    std::shared_lock lock(mutex_);
    for (auto& [id, entry] : homes_)
      if (auto actor = entry.actor.lock()) living.push_back(std::move(actor));
  }
  for (const caf::strong_actor_ptr& pointer : living) {
    auto* actor =
        dynamic_cast<caf::scheduled_actor*>(caf::actor_cast<caf::abstract_actor*>(pointer));
    if (!actor) continue;
    actor->context(home.get());
    actor->quit(caf::make_error(caf::exit_reason::kill));
    bool ended = actor->finalize();
    INVARIANT(ended, "on_exit() sets no new behavior");
  }
  // All of these have just ended: resuming one would touch state that is gone.
  for (auto& unit : units()) unit->drop_ready();
}

class LoopScheduler : public caf::scheduler::abstract_coordinator {
 public:
  LoopScheduler(caf::actor_system& system, Loop& home, Units& units)
      : abstract_coordinator(system), units_(units), clock_(home) {
    units_.start(system);
  }
  void start() override {}  // The inherited one starts the printer of caf::aout, a thread.
  void stop() override {
    units_.run_all();
    clock_.cancel_all();
  }
  bool detaches_utility_actors() const override { return false; }
  caf::actor_clock& clock() noexcept override { return clock_; }
  void enqueue(caf::resumable* job) override { units_.route(job, nullptr); }

 private:
  Units& units_;
  LoopClock clock_;
};

}  // namespace

struct ActorHost::Impl {
  explicit Impl(Loop& home) : units(home) {}
  Units units;
  caf::actor_system_config config;
  std::optional<caf::actor_system> system;
};

ActorHost::ActorHost(Loop& home, const std::function<void(caf::actor_system_config&)>& configure)
    : impl_(std::make_unique<Impl>(home)) {
  if (configure) configure(impl_->config);
  impl_->config.module_factories.push_back(
      [&home, impl = impl_.get()](caf::actor_system& system) -> caf::actor_system::module* {
        return new LoopScheduler(system, home, impl->units);
      });
  impl_->system.emplace(impl_->config);
  impl_->system->await_actors_before_shutdown(false);
}

ActorHost::~ActorHost() {
  INVARIANT(Loop::current() == nullptr, "the host ends when its loops do not run any more");
  impl_->system->scheduler().clock().cancel_all();
  impl_->units.stop();
  impl_->system.reset();
}

caf::actor_system& ActorHost::system() { return *impl_->system; }

void ActorHost::assign(caf::abstract_actor* actor, Loop& loop) {
  impl_->units.assign(actor, *impl_->units.unit_of(loop));
}

ActorHost::Placing::Placing(ActorHost& host, Loop& loop)
    : host_before_(placing_host), unit_before_(placing_unit) {
  placing_host = &host.impl_->units;
  placing_unit = host.impl_->units.unit_of(loop).get();
}

ActorHost::Placing::~Placing() {
  placing_host = host_before_;
  placing_unit = static_cast<Unit*>(unit_before_);
}

}  // namespace kura
