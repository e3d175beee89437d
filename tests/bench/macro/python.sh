#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A loop in Python that starts a program each time.
set -eu
exec python3 -c '
import subprocess
for i in range(100):
    subprocess.run(["/bin/true"], check=True)
'
