/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking the entries: a few at a time, for whoever proves them alive or retires them; and all of them
 * in the order of their numbers. Both look only below high[], so pages no entry has used stay holes.
 */
#include "core/slot.h"

size_t sp_ns_sweep(struct sp_segment *ns, uint32_t slots, struct sp_ref *refs, size_t max)
{
	uint32_t start = sp_load(&ns->sweep) % SP_CAPACITY;
	uint32_t slot = start, expected;
	uint32_t moved = 0; /* at most once around */
	size_t n = 0;

	while (slots && n < max && moved < SP_CAPACITY) {
		uint32_t way = slot / SP_BUCKETS, bucket = slot % SP_BUCKETS;
		uint64_t w;

		if (bucket >= sp_way_high(ns, way)) {
			moved += SP_BUCKETS - bucket;
			slot = (way + 1) % SP_WAYS * SP_BUCKETS;
			continue;
		}
		w = sp_load(&sp_entry_at(ns, slot)->word);
		if (sp_word_state(w) != SP_FREE)
			refs[n++] = (struct sp_ref){slot, w};
		slot = (slot + 1) % SP_CAPACITY;
		moved++;
		slots--;
	}
	/* If somebody else moved it meanwhile, the same slots are swept twice: harmless. */
	expected = start;
	(void)sp_cas(&ns->sweep, &expected, slot);
	return n;
}

static bool below(struct sp_ref a, struct sp_ref b)
{
	return sp_word_number(a.word) < sp_word_number(b.word);
}

static void swap(struct sp_ref *a, struct sp_ref *b)
{
	struct sp_ref t = *a;

	*a = *b;
	*b = t;
}

/* Restores the heap with the largest number at its root below i. */
static void sift_down(struct sp_ref *refs, size_t i, size_t n)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= n)
			return;
		if (child + 1 < n && below(refs[child], refs[child + 1]))
			child++;
		if (!below(refs[i], refs[child]))
			return;
		swap(&refs[i], &refs[child]);
		i = child;
	}
}

static void sift_up(struct sp_ref *refs, size_t i)
{
	while (i && below(refs[(i - 1) / 2], refs[i])) {
		swap(&refs[(i - 1) / 2], &refs[i]);
		i = (i - 1) / 2;
	}
}

/* Heap -> ascending. */
static void sort(struct sp_ref *refs, size_t n)
{
	while (n > 1) {
		swap(&refs[0], &refs[--n]);
		sift_down(refs, 0, n);
	}
}

/* A number that moved to another slot during the walk was met twice: the one that is still there stays. */
static size_t unique(struct sp_segment *ns, struct sp_ref *refs, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (kept && sp_word_number(refs[kept - 1].word) == sp_word_number(refs[i].word)) {
			if (!sp_ref_valid(ns, refs[kept - 1]))
				refs[kept - 1] = refs[i];
			continue;
		}
		refs[kept++] = refs[i];
	}
	return kept;
}

size_t sp_ns_list(struct sp_segment *ns, sp_vpid from, struct sp_ref *refs, size_t max)
{
	size_t n = 0;

	if (!max)
		return 0;
	for (uint32_t way = 0; way < SP_WAYS; way++) {
		uint32_t high = sp_way_high(ns, way);

		for (uint32_t bucket = 0; bucket < high; bucket++) {
			uint32_t slot = sp_slot(way, bucket);
			struct sp_ref ref = {slot, sp_load(&sp_entry_at(ns, slot)->word)};

			if (!(SP_BIT(sp_word_state(ref.word)) & SP_ANY) ||
			    sp_word_number(ref.word) < from.n)
				continue;
			if (n < max) {
				refs[n] = ref;
				sift_up(refs, n++);
			} else if (below(ref, refs[0])) {
				refs[0] = ref;
				sift_down(refs, 0, n);
			}
		}
	}
	sort(refs, n);
	return unique(ns, refs, n);
}
