# SPDX-License-Identifier: Apache-2.0
# So many children alive at once: each reports its number, waits for the word and ends.
use strict;
my $n = shift;
pipe my $go_r, my $go_w or die;
pipe my $say_r, my $say_w or die;
my (%mine, %said);
for (1 .. $n) {
	my $p = fork // die "fork: $!";
	if (!$p) {
		close $go_w;
		syswrite $say_w, pack 'L', $$;
		sysread $go_r, my $x, 1;
		exit 0;
	}
	die "number $p twice" if $mine{$p}++;
}
for (1 .. $n) {
	die unless sysread($say_r, my $x, 4) == 4;
	$said{unpack 'L', $x}++;
}
my $agree = grep { $mine{$_} } keys %said;
close $go_w;
my $reaped = 0;
while ((my $p = wait) > 0) {
	die "unknown $p" unless delete $mine{$p};
	$reaped++;
}
printf "%d distinct, %d reaped, %d left\n", $agree, $reaped, scalar keys %mine;
