#!/bin/bash
# scripts/install in a copy of this machine (an overlay that is thrown away) from which nginx and PostgreSQL were removed, with
# everything that starts or enables a service replaced by a recorder that works as on a machine with services.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)

if [ "${1:-}" != inside ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "1 skipped: needs root on Debian"
        exit 0
    fi
    copy=$(mktemp -d /tmp/tastemaker-install.XXXXXX)
    trap 'rmdir "$copy"' EXIT
    if ! unshare --mount bash -c "mount -t tmpfs none '$copy' && mkdir '$copy'/{upper,work,machine} &&
            mount -t overlay overlay -o lowerdir=/,upperdir='$copy'/upper,workdir='$copy'/work '$copy'/machine" 2>/dev/null; then
        echo "1 skipped: this machine allows no overlay"
        exit 0
    fi
    unshare --mount --pid --fork bash -c "
        mount -t tmpfs none '$copy' && mkdir '$copy'/{upper,work,machine} &&
        mount -t overlay overlay -o lowerdir=/,upperdir='$copy'/upper,workdir='$copy'/work '$copy'/machine &&
        mount -t proc proc '$copy'/machine/proc && mount --rbind /dev '$copy'/machine/dev &&
        mkdir -p '$copy/machine$root' && mount --bind '$root' '$copy/machine$root' &&
        exec chroot '$copy'/machine '$root/Tests/install/test_install.sh' inside"
    exit $?
fi

passed=0 failed=0
check() {
    local what=$1
    shift
    if "$@" >/dev/null 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $what"; fi
}
not() { ! "$@"; }

export DEBIAN_FRONTEND=noninteractive
apt-get -y -q purge 'nginx*' 'postgresql-1*' postgresql-common libfcgi-dev >/tmp/purge.log 2>&1 || { tail /tmp/purge.log; exit 1; }
rm -rf /etc/postgresql /etc/postgresql-common /var/lib/postgresql
userdel tastemaker 2>/dev/null
deluser -q tastemaker 2>/dev/null

# As on a machine that runs services, but every start is written down and none happens.
record=/tmp/starts
: >$record
for name in invoke-rc.d deb-systemd-invoke start-stop-daemon service; do
    path=$(command -v $name) || continue
    cp -a "$path" "$path.real"
    printf '#!/bin/sh\nif [ %s = invoke-rc.d ] && ! /usr/sbin/policy-rc.d "$@" >/dev/null 2>&1; then exit 0; fi\necho "%s $*" >>%s\n' $name $name $record >"$path"
    chmod 755 "$path"
done
before_policy="own policy of this machine"
printf '#!/bin/sh\n# %s\nexit 0\n' "$before_policy" >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
links() { find /etc/systemd/system /etc/rc?.d -name 'S*nginx' -o -name 'S*postgresql' -o -name 'nginx.service' -o -name 'postgresql.service' 2>/dev/null; }

cd "$root"
output=$(scripts/install 2>&1)
check "it succeeds: $output" [ $? = 0 ]
check "it says what it does" grep -q "Installing nginx postgresql-15 libfcgi-dev with apt-get; no service is started or enabled." <<<"$output"
check "nginx is there" test -x /usr/sbin/nginx
check "PostgreSQL is there" test -x /usr/lib/postgresql/15/bin/initdb
check "no service was started: $(cat $record)" not grep -vE 'invoke-rc.d --quiet nginx status| stop' $record
check "no service is enabled: $(links)" test -z "$(links)"
check "no cluster was made" test -z "$(ls -A /etc/postgresql/15 2>/dev/null)$(ls -A /var/lib/postgresql/15 2>/dev/null)"
check "the policy is back" grep -q "$before_policy" /usr/sbin/policy-rc.d
check "the cluster settings are the package's own" cmp /usr/share/postgresql-common/createcluster.conf /etc/postgresql-common/createcluster.conf
check "the account is there" getent passwd tastemaker
check "nothing is left aside" test -z "$(ls -d /var/tmp/tastemaker-install.* 2>/dev/null)"

# The second time: nothing to do, nothing to ask the network.
mv /usr/bin/apt-get /usr/bin/apt-get.away
output=$(scripts/install 2>&1)
check "a second run is silent and needs no apt: $output" test -z "$output"
mv /usr/bin/apt-get.away /usr/bin/apt-get

# A failure puts everything back.
output=$(scripts/install no-such-package-anywhere 2>&1)
check "a package that does not exist is an error" [ $? != 0 ]
check "the policy is back after a failure" grep -q "$before_policy" /usr/sbin/policy-rc.d
check "the cluster settings are back after a failure" cmp /usr/share/postgresql-common/createcluster.conf /etc/postgresql-common/createcluster.conf

echo "$passed passed, $failed failed"
[ $failed = 0 ]
