/* SPDX-License-Identifier: Apache-2.0 */
#include "boundary/netlink.h"

#include <linux/audit.h>
#include <linux/devlink.h>
#include <linux/errno.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/nl80211.h>
#include <linux/rtnetlink.h>
#include <linux/taskstats.h>
#include <linux/veth.h>

#include "base/mem.h"

/* include/net/nl802154.h, which is not exported */
#define NL802154_CMD_SET_WPAN_PHY_NETNS 20
#define NL802154_ATTR_PID 28

/* One message while it is looked through. */
struct walk {
	const struct bd_netlink *n;
	char *at; /* attributes */
	size_t len;
	int found;
};

bool bd_netlink_carries(int protocol)
{
	return protocol == NETLINK_ROUTE || protocol == NETLINK_GENERIC || protocol == NETLINK_AUDIT;
}

bool bd_netlink_refused(int protocol)
{
	return protocol == NETLINK_CONNECTOR || protocol == NETLINK_RDMA;
}

/* The next attribute in [*pos, len): its type, its payload. include/net/netlink.h:nla_ok, nla_next. */
static bool next_attr(const char *buf, size_t len, size_t *pos, uint16_t *type, size_t *payload,
		      size_t *n)
{
	struct nlattr a;

	if (*pos > len || len - *pos < sizeof(a))
		return false;
	memcpy(&a, buf + *pos, sizeof(a));
	if (a.nla_len < sizeof(a) || a.nla_len > len - *pos)
		return false;
	*type = a.nla_type & NLA_TYPE_MASK;
	*payload = *pos + sizeof(a);
	*n = a.nla_len - sizeof(a);
	*pos += NLA_ALIGN(a.nla_len);
	return true;
}

static bool find_attr(const char *buf, size_t len, uint16_t wanted, size_t *payload, size_t *n)
{
	size_t pos = 0;
	uint16_t type;

	while (next_attr(buf, len, &pos, &type, payload, n))
		if (type == wanted)
			return true;
	return false;
}

/* Every attribute of the type, because the kernel takes the last. */
static void convert_attr(struct walk *w, uint16_t wanted)
{
	size_t pos = 0, payload, n;
	uint16_t type;
	int32_t pid;

	while (next_attr(w->at, w->len, &pos, &type, &payload, &n)) {
		if (type != wanted || n < sizeof(pid))
			continue;
		memcpy(&pid, w->at + payload, sizeof(pid));
		pid = w->n->in(w->n->ctx, pid);
		memcpy(w->at + payload, &pid, sizeof(pid));
		w->found++;
	}
}

static bool is_kind(const char *s, size_t n, const char *kind)
{
	size_t len = sp_strnlen(kind, 16);

	return n >= len && !memcmp(s, kind, len) && (n == len || !s[len]);
}

/* The other end of a pair: IFLA_LINKINFO, IFLA_INFO_DATA, a struct ifinfomsg, and attributes again. */
static void convert_peer(struct walk *w)
{
	size_t info, info_len, at, n;
	char *p;

	if (!find_attr(w->at, w->len, IFLA_LINKINFO, &info, &info_len))
		return;
	p = w->at + info;
	if (!find_attr(p, info_len, IFLA_INFO_KIND, &at, &n) ||
	    (!is_kind(p + at, n, "veth") && !is_kind(p + at, n, "vxcan") &&
	     !is_kind(p + at, n, "netkit")))
		return;
	if (!find_attr(p, info_len, IFLA_INFO_DATA, &at, &n))
		return;
	p += at;
	/* VXCAN_INFO_PEER and IFLA_NETKIT_PEER_INFO have the same number. */
	if (!find_attr(p, n, VETH_INFO_PEER, &at, &n) || n < sizeof(struct ifinfomsg))
		return;
	w->at = p + at + sizeof(struct ifinfomsg);
	w->len = n - sizeof(struct ifinfomsg);
	convert_attr(w, IFLA_NET_NS_PID);
}

/* Moves behind a header; false if the message ends before. */
static bool behind(struct walk *w, size_t header)
{
	header = NLMSG_ALIGN(header);
	if (w->len < header)
		return false;
	w->at += header;
	w->len -= header;
	return true;
}

static void route(struct walk *w, uint16_t type)
{
	switch (type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
	case RTM_GETLINK:
	case RTM_SETLINK:
		if (!behind(w, sizeof(struct ifinfomsg)))
			return;
		convert_attr(w, IFLA_NET_NS_PID);
		convert_peer(w);
		return;
	case RTM_NEWNSID:
	case RTM_GETNSID:
		if (behind(w, sizeof(struct rtgenmsg)))
			convert_attr(w, NETNSA_PID);
		return;
	default:
		return;
	}
}

/* Commands of generic families; attribute 0: the command is refused. */
static const struct {
	char family[BD_GENL_NAME];
	uint8_t cmd;
	uint16_t attr;
} generic_rules[] = {
	{"nl80211", NL80211_CMD_SET_WIPHY_NETNS, NL80211_ATTR_PID},
	{"nl802154", NL802154_CMD_SET_WPAN_PHY_NETNS, NL802154_ATTR_PID},
	{"devlink", DEVLINK_CMD_RELOAD, DEVLINK_ATTR_NETNS_PID},
	{TASKSTATS_GENL_NAME, TASKSTATS_CMD_GET, 0},
};

static int generic(struct walk *w, uint16_t type)
{
	char name[BD_GENL_NAME];
	size_t payload, n;
	struct genlmsghdr h;
	int known = -1;

	if (type <= GENL_ID_CTRL || w->len < sizeof(h))
		return 0;
	memcpy(&h, w->at, sizeof(h));
	if (!behind(w, sizeof(h)))
		return 0;
	for (size_t i = 0; i < sizeof(generic_rules) / sizeof(generic_rules[0]); i++) {
		uint16_t attr = generic_rules[i].attr;

		if (generic_rules[i].cmd != h.cmd ||
		    (attr && !find_attr(w->at, w->len, attr, &payload, &n)))
			continue;
		/* Asked for only when it matters: families have no fixed number. */
		if (known < 0)
			known = w->n->family(w->n->ctx, type, name);
		if (known <= 0)
			return known;
		if (!sp_streq(name, generic_rules[i].family))
			continue;
		if (!attr)
			return -EPERM;
		convert_attr(w, attr);
	}
	return 0;
}

/* Refused in any PID namespace but the first: kernel/audit.c:audit_netlink_ok. */
static int audit(uint16_t type)
{
	return (type >= AUDIT_GET && type <= AUDIT_DEL) ||
			       (type >= AUDIT_SIGNAL_INFO && type <= AUDIT_GET_FEATURE)
		       ? -EPERM
		       : 0;
}

/* As net/netlink/af_netlink.c:netlink_rcv_skb goes through it. */
int bd_netlink_send(const struct bd_netlink *n, int protocol, char *buf, size_t len)
{
	size_t pos = 0;
	int found = 0, r;

	while (len - pos >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr h;
		struct walk w = {.n = n, .at = buf + pos + NLMSG_HDRLEN};

		memcpy(&h, buf + pos, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len - pos)
			break;
		w.len = h.nlmsg_len - NLMSG_HDRLEN;
		r = 0;
		if (protocol == NETLINK_ROUTE)
			route(&w, h.nlmsg_type);
		else if (protocol == NETLINK_GENERIC)
			r = generic(&w, h.nlmsg_type);
		else if (protocol == NETLINK_AUDIT)
			r = audit(h.nlmsg_type);
		if (r)
			return r;
		found += w.found;
		if (NLMSG_ALIGN(h.nlmsg_len) >= len - pos)
			break;
		pos += NLMSG_ALIGN(h.nlmsg_len);
	}
	return found;
}
