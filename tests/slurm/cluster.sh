#!/usr/bin/env bash
# Runs a command in a Slurm cluster of two nodes on this machine, which ends with the command.
#
# Usage: tests/slurm/cluster.sh FOLDER COMMAND [ARGUMENT]...
#
# FOLDER is an empty one, for the daemons' state and logs. Each node has two processors and 6 GB, whatever the machine
# has; CLUSTER_SETTINGS, a variable, has more lines of slurm.conf. Needs root, and the Debian packages slurmctld, slurmd,
# slurm-client and munge; no systemd and no database.
#
# The daemons live in namespaces of their own: their configuration hides /etc/slurm and /etc/munge from nobody else, their
# ports are free whoever else runs a cluster, and when the command ends the kernel ends all of them.
set -euo pipefail

if [ "${1:-}" != --inside ]; then
    [ $# -ge 2 ] || { echo "usage: $0 FOLDER COMMAND [ARGUMENT]..." >&2 && exit 2; }
    exec unshare --mount --pid --net --uts --ipc --fork --kill-child --mount-proc "$0" --inside "$@"
fi
folder=$(realpath "$2")
shift 2

hostname sandbox
ip link set lo up
ip address add 10.0.0.1/32 dev lo # Slurm listens on no machine that has loopback addresses alone
mkdir -p "$folder"/{state,log,spool.n1,spool.n2} /etc/slurm /etc/munge /run/munge
for each in /etc/slurm /etc/munge /run/munge; do mount -t tmpfs tmpfs "$each"; done
mount -t tmpfs -o size=64m tmpfs /var/log/munge 2>/dev/null || true
printf '127.0.0.1 localhost\n10.0.0.1 sandbox\n' >"$folder/hosts"
mount --bind "$folder/hosts" /etc/hosts

# fail WHAT: says what did not start, with the end of the daemons' logs.
fail() {
    echo "cluster: $1" >&2
    tail -n 20 "$folder"/log/*.log >&2
    exit 1
}

# wait_for WHAT COMMAND...: until the command succeeds, for at most 30 s.
wait_for() {
    for _ in $(seq 120); do
        "${@:2}" >/dev/null 2>&1 && return
        sleep 0.25
    done
    fail "$1 did not start"
}

# A key of its own: in /etc/munge there may be one of a real cluster.
head -c 1024 /dev/urandom >/etc/munge/munge.key
chown -R munge:munge /etc/munge /run/munge /var/log/munge
chmod 700 /etc/munge
chmod 400 /etc/munge/munge.key
chmod 755 /run/munge
runuser -u munge -- /usr/sbin/munged --force
wait_for munged munge -n

# In its usual place, for the executor plugin drops SLURM_CONF before its nested srun. Memory is enforced by what the
# accounting gatherer sees, not by control groups, whose version differs between machines. MinJobAge: the test
# reads what became of jobs that have ended.
cat >/etc/slurm/slurm.conf <<CONF
ClusterName=sandbox
SlurmctldHost=sandbox(10.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool.%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory,CR_LLN
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,sched_min_interval=0,bf_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=7200
KillWait=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
NodeName=n1 NodeHostname=sandbox NodeAddr=10.0.0.1 Port=16821 CPUs=2 RealMemory=6000 State=UNKNOWN
NodeName=n2 NodeHostname=sandbox NodeAddr=10.0.0.1 Port=16822 CPUs=2 RealMemory=6000 State=UNKNOWN
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
${CLUSTER_SETTINGS:-}
CONF

both_idle() { [ "$(sinfo --noheader --format=%t | sort -u)" = idle ]; }

/usr/sbin/slurmctld
wait_for slurmctld scontrol ping
/usr/sbin/slurmd -N n1
/usr/sbin/slurmd -N n2
wait_for 'both nodes' both_idle
"$@"
