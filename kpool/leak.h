/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a client function must leave as it found it, for its thread goes on to
 * execute the functions of others.
 */
#ifndef _KPOOL_LEAK_H
#define _KPOOL_LEAK_H

#include <linux/cred.h>
#include <linux/irqflags.h>
#include <linux/lockdep.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

struct kpool_group;

/* The flags of a task that a function may set, and has to clear again. */
#define ENV_FLAGS	(PF_MEMALLOC | PF_MEMALLOC_NOIO | PF_MEMALLOC_NOFS | \
			 PF_MEMALLOC_PIN | PF_NOFREEZE)

/*
 * How a thread is between two functions.  What has no field is as in a thread
 * that was just created: interrupts are on, and so forth.
 */
struct kpool_env {
	const struct cred	*cred;		/* a reference is held */
	sigset_t		blocked;
	unsigned int		flags;		/* of ENV_FLAGS */
	unsigned int		policy;
	int			prio;		/* nice, as a static priority */
	int			nr_cpus;	/* in its mask */
	int			nr_locks;	/* that lockdep knows of */
	__sighandler_t		sigkill;
};

void env_begin(struct kpool_env *env);
void env_end(struct kpool_env *env);
void env_repair(struct kpool_env *env, struct kpool_group *group,
		const void *func);
bool env_handlers_are_clean(const struct kpool_env *env);

/* Is the thread in a state in which it could sleep? */
static __always_inline bool env_is_sleepable(const struct kpool_env *env)
{
	return !(preempt_count() | rcu_preempt_depth()) && !irqs_disabled() &&
	       !(IS_ENABLED(CONFIG_PREEMPT_RT) && softirq_count()) &&
	       !(IS_ENABLED(CONFIG_LOCKDEP) &&
		 lockdep_depth(current) > env->nr_locks);
}

/* What differs is gathered first: as good as always that is nothing. */
static __always_inline bool env_is_same(const struct kpool_env *env)
{
	unsigned int ints = READ_ONCE(current->__state);	/* 0: running */
	unsigned long longs = (unsigned long)current->mm;

	ints |= (current->flags & ENV_FLAGS) ^ env->flags;
	ints |= current->static_prio ^ env->prio;
	ints |= current->policy ^ env->policy;
	ints |= current->nr_cpus_allowed ^ env->nr_cpus;
	longs |= current->blocked.sig[0] ^ env->blocked.sig[0];
	longs |= (unsigned long)current_cred() ^ (unsigned long)env->cred;
	return !(ints | longs);
}

/*
 * After each function of a client.  Some compares always; the handlers of all
 * signals only where one pays for being checked anyway.
 */
static __always_inline bool env_was_changed(const struct kpool_env *env)
{
	return unlikely(!env_is_sleepable(env) || !env_is_same(env) ||
			(IS_ENABLED(CONFIG_LOCKDEP) &&
			 !env_handlers_are_clean(env)));
}

#endif /* _KPOOL_LEAK_H */
