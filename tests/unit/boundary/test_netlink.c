/* build: src/boundary/netlink.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to netlink: attributes that name a process are found and nothing else is touched, requests that are
 * refused are, and any bytes are survived.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/audit.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "boundary/netlink.h"

static unsigned asked, looked_up;
static const char *family_is;

static int32_t plus(void *ctx, int32_t pid)
{
	(void)ctx;
	asked++;
	return (int32_t)((uint32_t)pid + 1000u);
}

static int family(void *ctx, uint16_t id, char name[BD_GENL_NAME])
{
	(void)ctx;
	assert_in_range(id, GENL_ID_CTRL + 1, 0xffff);
	looked_up++;
	if (!family_is)
		return 0;
	if (!*family_is)
		return -EMFILE;
	strncpy(name, family_is, BD_GENL_NAME);
	return 1;
}

static const struct bd_netlink how = {plus, family, NULL};

struct msg {
	_Alignas(4) char buf[1024];
	size_t len;
};

static void bytes(struct msg *m, const void *p, size_t n)
{
	memcpy(m->buf + m->len, p, n);
	m->len += (n + 3) & ~3ul;
}

static size_t begin(struct msg *m, uint16_t type, size_t header)
{
	struct nlmsghdr h = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST};
	size_t at = m->len;

	bytes(m, &h, sizeof(h));
	memset(m->buf + m->len, 0, header);
	m->len += (header + 3) & ~3ul;
	return at;
}

static void finish(struct msg *m, size_t at)
{
	((struct nlmsghdr *)(m->buf + at))->nlmsg_len = (uint32_t)(m->len - at);
}

static size_t attr(struct msg *m, uint16_t type, const void *p, size_t n)
{
	struct nlattr a = {(uint16_t)(4 + n), type};

	bytes(m, &a, sizeof(a));
	if (n)
		bytes(m, p, n);
	return m->len - ((n + 3) & ~3ul);
}

static size_t pid_attr(struct msg *m, uint16_t type, int pid)
{
	return attr(m, type, &pid, sizeof(pid));
}

static void close_attr(struct msg *m, size_t payload)
{
	((struct nlattr *)(m->buf + payload - 4))->nla_len = (uint16_t)(m->len - payload + 4);
}

static int at(const struct msg *m, size_t pos)
{
	int v;

	memcpy(&v, m->buf + pos, 4);
	return v;
}

static int run(struct msg *m, int protocol)
{
	/* A block of exactly the size, for the sanitizer. */
	char *copy = malloc(m->len ? m->len : 1);
	int r;

	asked = looked_up = 0;
	memcpy(copy, m->buf, m->len);
	r = bd_netlink_send(&how, protocol, copy, m->len);
	memcpy(m->buf, copy, m->len);
	free(copy);
	if (r >= 0)
		assert_int_equal(asked, r);
	return r;
}

static void links(void **state)
{
	static const uint16_t types[] = {RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct msg m = {.len = 0};
		size_t first = begin(&m, types[i], sizeof(struct ifinfomsg)), a, b, c;

		attr(&m, IFLA_IFNAME, "eth0", 5);
		a = pid_attr(&m, IFLA_NET_NS_PID, 5);
		b = pid_attr(&m, IFLA_NET_NS_FD, 6);
		c = pid_attr(&m, IFLA_NET_NS_PID | NLA_F_NET_BYTEORDER, 7);
		finish(&m, first);
		assert_int_equal(run(&m, NETLINK_ROUTE), 2);
		assert_int_equal(at(&m, a), 1005);
		assert_int_equal(at(&m, b), 6);
		assert_int_equal(at(&m, c), 1007);
		assert_int_equal(run(&m, NETLINK_XFRM), 0);
		assert_int_equal(run(&m, NETLINK_GENERIC), 0);
	}
}

static void other_messages(void **state)
{
	struct msg m = {.len = 0};
	size_t first = begin(&m, RTM_NEWROUTE, sizeof(struct rtmsg)), second, a, b;

	(void)state;
	a = pid_attr(&m, IFLA_NET_NS_PID, 5);
	finish(&m, first);
	second = begin(&m, RTM_GETNSID, 1);
	b = pid_attr(&m, NETNSA_PID, 6);
	pid_attr(&m, NETNSA_NSID, 8);
	finish(&m, second);
	assert_int_equal(run(&m, NETLINK_ROUTE), 1);
	assert_int_equal(at(&m, a), 5);
	assert_int_equal(at(&m, b), 1006);
}

static void peers(void **state)
{
	static const struct {
		const char *kind;
		size_t len;
		int found;
	} kinds[] = {
		{"veth", 4, 2},	 {"veth", 5, 2}, {"vxcan", 6, 2}, {"netkit", 7, 2},
		{"vethx", 6, 1}, {"vet", 4, 1},	 {"bond", 5, 1},  {"veth", 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (int data_first = 0; data_first < 2; data_first++) {
			struct msg m = {.len = 0};
			struct ifinfomsg ifi = {0};
			size_t first = begin(&m, RTM_NEWLINK, sizeof(ifi)), info, data, peer, own,
			       theirs;

			info = attr(&m, IFLA_LINKINFO | NLA_F_NESTED, "", 0);
			if (!data_first)
				attr(&m, IFLA_INFO_KIND, kinds[i].kind, kinds[i].len);
			data = attr(&m, IFLA_INFO_DATA, "", 0);
			peer = attr(&m, 1, "", 0);
			bytes(&m, &ifi, sizeof(ifi));
			theirs = pid_attr(&m, IFLA_NET_NS_PID, 7);
			close_attr(&m, peer);
			close_attr(&m, data);
			if (data_first)
				attr(&m, IFLA_INFO_KIND, kinds[i].kind, kinds[i].len);
			close_attr(&m, info);
			own = pid_attr(&m, IFLA_NET_NS_PID, 8);
			finish(&m, first);
			assert_int_equal(run(&m, NETLINK_ROUTE), kinds[i].found);
			assert_int_equal(at(&m, own), 1008);
			assert_int_equal(at(&m, theirs), kinds[i].found == 2 ? 1007 : 7);
		}
}

static void families(void **state)
{
	static const struct {
		const char *name;
		uint8_t cmd;
		uint16_t attr;
		int result;
		unsigned looked_up;
	} rules[] = {
		{"nl80211", 49, 82, 1, 1},	{"nl80211", 48, 82, 0, 0},
		{"nl80211", 49, 81, 0, 0},	{"nl802154", 20, 28, 1, 1},
		{"devlink", 37, 139, 1, 1},	{"other", 49, 82, 0, 1},
		{NULL, 49, 82, 0, 1},		{"", 49, 82, -EMFILE, 1},
		{"TASKSTATS", 1, 1, -EPERM, 1}, {"TASKSTATS", 4, 1, 0, 0},
		{"other", 1, 1, 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct msg m = {.len = 0};
		size_t first = begin(&m, 0x19, GENL_HDRLEN), a;

		m.buf[first + NLMSG_HDRLEN] = (char)rules[i].cmd;
		a = pid_attr(&m, rules[i].attr, 5);
		finish(&m, first);
		family_is = rules[i].name;
		assert_int_equal(run(&m, NETLINK_GENERIC), rules[i].result);
		assert_int_equal(looked_up, rules[i].looked_up);
		assert_int_equal(at(&m, a), rules[i].result == 1 ? 1005 : 5);
	}
}

static void audits(void **state)
{
	static const struct {
		uint16_t type;
		int result;
	} types[] = {
		{AUDIT_GET, -EPERM},
		{AUDIT_SET, -EPERM},
		{AUDIT_USER, 0},
		{AUDIT_SIGNAL_INFO, -EPERM},
		{AUDIT_LIST_RULES, -EPERM},
		{AUDIT_GET_FEATURE, -EPERM},
		{1107, 0},
		{2100, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct msg m = {.len = 0};

		finish(&m, begin(&m, types[i].type, 0));
		assert_int_equal(run(&m, NETLINK_AUDIT), types[i].result);
		assert_int_equal(run(&m, NETLINK_ROUTE), 0);
	}
	assert_true(bd_netlink_refused(NETLINK_CONNECTOR) && bd_netlink_refused(NETLINK_RDMA));
	assert_false(bd_netlink_refused(NETLINK_ROUTE) || bd_netlink_refused(-1));
	assert_true(bd_netlink_carries(NETLINK_ROUTE) && !bd_netlink_carries(NETLINK_NETFILTER));
}

static void cut_off_anywhere(void **state)
{
	struct msg whole = {.len = 0}, m;
	size_t first = begin(&whole, RTM_SETLINK, sizeof(struct ifinfomsg));

	(void)state;
	pid_attr(&whole, IFLA_NET_NS_PID, 5);
	finish(&whole, first);
	for (size_t len = 0; len < whole.len; len++) {
		m = whole;
		m.len = len;
		assert_int_equal(run(&m, NETLINK_ROUTE), 0);
		m = whole;
		((struct nlmsghdr *)m.buf)->nlmsg_len = (uint32_t)len;
		assert_int_equal(run(&m, NETLINK_ROUTE), 0);
	}
}

static void any_bytes(void **state)
{
	static const uint16_t types[] = {16, 17, 18, 19, 88, 90, 0x19, 1000};
	static const int protocols[] = {NETLINK_ROUTE, NETLINK_GENERIC, NETLINK_AUDIT};

	(void)state;
	srandom(11);
	family_is = "nl80211";
	for (int round = 0; round < 30000; round++) {
		struct msg m;

		m.len = (size_t)random() % 300;
		for (size_t i = 0; i < m.len; i++)
			m.buf[i] = (char)(random() % 4 ? random() % 20 : random());
		for (size_t i = 0; i + 8 < m.len; i += 16) {
			uint32_t len = (uint32_t)random() % 200;

			memcpy(m.buf + i, &len, 4);
			memcpy(m.buf + i + 4, &types[random() % 8], 2);
		}
		if (run(&m, protocols[round % 3]) < 0)
			assert_int_not_equal(round % 3, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links),     cmocka_unit_test(other_messages),
		cmocka_unit_test(peers),     cmocka_unit_test(families),
		cmocka_unit_test(audits),    cmocka_unit_test(cut_off_anywhere),
		cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
