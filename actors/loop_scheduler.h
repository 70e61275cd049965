// ActorHost: a CAF actor_system whose actors run on Loops, each on the one it was assigned to.
//
// It replaces CAF's scheduler module, so there are no CAF threads: a message makes the loop of its
// receiver run the receiver at the end of the turn. An actor may therefore use its loop (timers,
// spawn, ports) as any task of that loop does, actors fed once per turn cost next to nothing, and
// the simulator runs the same actors. The CAF side is in actors/loop_scheduler_spawn.h.
//
// Not supported: detached and blocking actors, caf::aout, groups across systems, the middleman.

#pragma once

#include <functional>
#include <memory>

#include "base/loop.h"

namespace caf {
class abstract_actor;
class actor_system;
class actor_system_config;
}  // namespace caf

namespace kura {

class ActorHost {
 public:
  // `home` runs the delayed messages of all actors, and actors that nobody assigned; it and the
  // other loops outlive the host. `configure` registers message types.
  explicit ActorHost(Loop& home,
                     const std::function<void(caf::actor_system_config&)>& configure = {});
  // Ends every actor where it stands: on_exit() runs, waiting messages are dropped.
  // REQUIRES: the loops do not run any more.
  ~ActorHost();
  ActorHost(const ActorHost&) = delete;

  caf::actor_system& system();

  // From now on `actor` runs on `loop`. REQUIRES: it has not been sent a message. From any thread.
  // An actor spawned by an actor starts on the loop of its parent.
  void assign(caf::abstract_actor* actor, Loop& loop);

  // What this thread spawns while one of these lives starts on `loop` (spawn_on() uses it).
  class Placing {
   public:
    Placing(ActorHost& host, Loop& loop);
    ~Placing();
    Placing(const Placing&) = delete;

   private:
    const void* host_before_;
    void* unit_before_;
  };

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kura
