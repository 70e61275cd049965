// CAF and how actors come onto loops. For *_actor.cc files; nothing else includes CAF.

#pragma once

#include <caf/all.hpp>
#include <utility>

#include "actors/loop_scheduler.h"

namespace kura {

// As host.system().spawn<Options>(fun, args...), for an actor that runs on `loop`.
template <caf::spawn_options Options = caf::no_spawn_options, class Fun, class... Args>
auto spawn_on(ActorHost& host, Loop& loop, Fun fun, Args&&... args) {
  ActorHost::Placing placing(host, loop);
  auto actor = host.system().spawn<Options>(std::move(fun), std::forward<Args>(args)...);
  host.assign(caf::actor_cast<caf::abstract_actor*>(actor), loop);
  return actor;
}

}  // namespace kura
