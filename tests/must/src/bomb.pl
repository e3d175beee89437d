# SPDX-License-Identifier: Apache-2.0
# A fork bomb that ends after so many forks: each takes a token out of a pipe. Members leave their
# group, their session and their parent as they like; all stay until they are killed.
use strict;
use POSIX ();
my $n = shift;
pipe my $r, my $w or die;
fcntl $w, 1031, 65536;
syswrite $w, 'x' x $n;
close $w;
while (sysread $r, my $x, 1) {
	my $p = fork;
	last unless defined $p;
	if (!$p) {
		$SIG{$_} = 'IGNORE' for qw(TERM HUP INT);
		POSIX::setsid() if rand() < .2;
		setpgrp if rand() < .2;
	} elsif (rand() < .1) {
		exit 0 if $$ != 1;
	}
}
sleep 60 while 1;
