// SPDX-License-Identifier: GPL-2.0-only
/*
 * What functions leave behind in the thread that executed them: found out,
 * named, and undone where that is possible.
 *
 * Who returns in atomic context, or with a lock held, has a bug that is worth
 * a WARN().  The rest is undone with a message: the next function must not
 * notice, and whose nice value it was is not a matter of life and death.  What
 * cannot be undone is taken for given from then on, so that nobody else is
 * blamed for it.
 */
#define pr_fmt(fmt) "kpool: " fmt

#include <linux/bottom_half.h>
#include <linux/bug.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched/isolation.h>
#include <linux/sched/prio.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <uapi/linux/sched/types.h>

#include "internal.h"
#include "leak.h"

/* Who is to blame, and whether there was too much of it lately. */
struct blame {
	const struct kpool_group *group;
	const void *func;
	bool silent;
};

static void blame(const struct blame *who, const char *what)
{
	if (!who->silent)
		pr_warn("%s/%s: %ps returned with %s\n",
			who->group->pool->name, who->group->name, who->func,
			what);
}

static void blame_loudly(const struct blame *who, const char *what)
{
	WARN(!who->silent, "kpool: %s/%s: %ps returned with %s\n",
	     who->group->pool->name, who->group->name, who->func, what);
}

/* The handler of a signal in this thread, which shares them with no other. */
static __sighandler_t handler_of(int sig)
{
	struct sighand_struct *sighand;

	sighand = rcu_dereference_protected(current->sighand, true);
	return sighand->action[sig - 1].sa.sa_handler;
}

static bool handler_is_clean(const struct kpool_env *env, int sig)
{
	return handler_of(sig) == (sig == SIGKILL ? env->sigkill : SIG_IGN);
}

bool env_handlers_are_clean(const struct kpool_env *env)
{
	int sig;

	for (sig = 1; sig <= _NSIG; sig++)
		if (!handler_is_clean(env, sig))
			return false;
	return true;
}

static void take_as_given(struct kpool_env *env)
{
	env->blocked = current->blocked;
	env->flags = current->flags & ENV_FLAGS;
	env->policy = current->policy;
	env->prio = current->static_prio;
	env->nr_cpus = current->nr_cpus_allowed;
	env->nr_locks = lockdep_depth(current);
	env->sigkill = handler_of(SIGKILL);
}

/* The thread has set itself up, and is about to execute functions. */
void env_begin(struct kpool_env *env)
{
	env->cred = get_current_cred();
	take_as_given(env);
}

void env_end(struct kpool_env *env)
{
	put_cred(env->cred);
}

/*
 * Interrupts first, for the rest wants them on; and all of it before anything
 * is printed.
 */
static void repair_context(struct kpool_env *env, const struct blame *who)
{
	const char *what = NULL;
	int depth;

	if (irqs_disabled()) {
		local_irq_enable();
		what = "interrupts off";
	}
	/* before RCU: with PREEMPT_RT these are a read section, too */
	while (softirq_count()) {
		local_bh_enable();
		what = what ?: "softirqs off";
	}
	for (depth = rcu_preempt_depth(); depth > 0; depth--) {
		__acquire(RCU);	/* by the function */
		rcu_read_unlock();
		what = what ?: "an RCU read section open";
	}
	if (preempt_count()) {
		preempt_count_set(0);
		what = what ?: "preemption off";
	}
	if (!what && lockdep_depth(current) > env->nr_locks)
		what = "a lock held";
	if (what)
		blame_loudly(who, what);
}

static void repair_cred(struct kpool_env *env, const struct blame *who)
{
	if (current_cred() == env->cred)
		return;
	blame(who, "other credentials");
	if (current_real_cred() == env->cred) {
		revert_creds(env->cred);
		return;
	}
	/* committed, and the old ones are ours alone now: no way back */
	put_cred(env->cred);
	env->cred = get_current_cred();
}

static void repair_memory(struct kpool_env *env, const struct blame *who)
{
	if (current->mm) {
		blame(who, "a user's memory");
		kthread_unuse_mm(current->mm);
	}
	if ((current->flags & ENV_FLAGS) != env->flags) {
		blame(who, "task flags changed");
		current->flags &= ~ENV_FLAGS;
		current->flags |= env->flags;
	}
}

/*
 * A thread of a pool that has a mask gets that back, if a CPU of it is online.
 * More CPUs than before may be the kernel's doing, when the last one of a mask
 * went away: nobody is to blame.
 */
static void repair_mask(struct kpool_env *env, const struct blame *who)
{
	const struct kpool *pool = who->group->pool;

	if (current->nr_cpus_allowed < env->nr_cpus)
		blame(who, "fewer CPUs");
	else if (!pool->has_cpus)
		return;
	if (!pool->has_cpus)
		set_cpus_allowed_ptr(current,
				     housekeeping_cpumask(HK_TYPE_KTHREAD));
	else
		worker_bind(pool);
}

static void repair_scheduling(struct kpool_env *env, const struct blame *who)
{
	if (READ_ONCE(current->__state) != TASK_RUNNING) {
		blame(who, "a task state set");
		__set_current_state(TASK_RUNNING);
	}
	if (current->static_prio != env->prio ||
	    current->policy != env->policy) {
		blame(who, "another priority");
		sched_set_normal(current, PRIO_TO_NICE(env->prio));
	}
	if (current->nr_cpus_allowed != env->nr_cpus)
		repair_mask(env, who);
}

/* A signal that came for a handler goes with it. */
static void repair_signals(struct kpool_env *env, const struct blame *who)
{
	int sig;

	if (!sigequalsets(&current->blocked, &env->blocked)) {
		blame(who, "other signals blocked");
		sigprocmask(SIG_SETMASK, &env->blocked, NULL);
	}
	if (env_handlers_are_clean(env))
		return;
	blame(who, "other signals allowed");
	for (sig = 1; sig <= _NSIG; sig++)
		if (!handler_is_clean(env, sig))
			kernel_sigaction(sig, sig == SIGKILL ? env->sigkill :
							       SIG_IGN);
}

void env_repair(struct kpool_env *env, struct kpool_group *group,
		const void *func)
{
	static DEFINE_RATELIMIT_STATE(leak_rs, 5 * HZ, 20);
	struct blame who = { .group = group, .func = func };

	who.silent = !__ratelimit(&leak_rs);
	repair_context(env, &who);
	repair_memory(env, &who);
	repair_cred(env, &who);
	repair_scheduling(env, &who);
	repair_signals(env, &who);
	take_as_given(env);
}
