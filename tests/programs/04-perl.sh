# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# perl: fork, kill, waitpid, pipe open, signal handlers.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs perl

numbers 'numbers' perl -e 'use POSIX; $| = 1; print "$$ ", getppid, " ", getpgrp, "\n"; for (1..3) { my $p = fork // die;
	if (!$p) { print "$$ ", getppid, "\n"; exit 0 } print "waited ", waitpid($p, 0), "\n" }'
same 'fork and waitpid' perl -e '
	my %want; for my $c (1..20) { my $p = fork // die; exit $c unless $p; $want{$p} = $c }
	my $sum = 0; while ((my $p = wait) > 0) { die unless $want{$p} == $? >> 8; $sum += $? >> 8 } print "$sum\n"'
same 'kill and handlers' perl -e '
	use POSIX ":sys_wait_h"; my $got = 0; $SIG{USR1} = sub { $got++ }; kill USR1 => $$; print "got $got\n";
	my $p = fork // die; if (!$p) { sleep 10; exit } print kill(0, $p), "\n"; kill TERM => $p; waitpid $p, 0; print $? & 127, "\n";
	print kill(0, $p), " ", $!{ESRCH} ? "ESRCH" : "$!", "\n"; print waitpid(-1, WNOHANG), "\n"'
same 'pipe open' perl -e '
	open my $f, "-|", "seq 5 | sort -r" or die; print <$f>; close $f; print "$?\n";
	open $f, "|-", "cat; exit 3" or die; print $f "to child\n"; close $f; print $? >> 8, "\n";
	my $p = open($f, "-|") // die; if (!$p) { print "from fork $_\n" for 1..3; exit 7 } print <$f>; close $f; print $? >> 8, "\n"; print `echo back`'
same 'CHLD handler reaps a burst' perl -e '
	use POSIX ":sys_wait_h"; my $n = 0; $SIG{CHLD} = sub { while (waitpid(-1, WNOHANG) > 0) { $n++ } };
	for (1..100) { my $p = fork // die; exit 0 unless $p } my $t = time; select(undef, undef, undef, .05) while $n < 100 && time - $t < 15; print "$n\n"'
same 'alarm' perl -e 'local $SIG{ALRM} = sub { die "late\n" }; eval { alarm 1; sleep 10 }; print $@'
same 'threads' perl -e 'use Config; if (!$Config{useithreads}) { print "none\n"; exit } require threads; my @t = map { my $i = $_; threads->create(sub { $i * $i }) } 1..8; my $s = 0; $s += $_->join for @t; print "$s\n"'
finish
