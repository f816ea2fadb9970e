#!/bin/bash
# What a container of this image runs: `driver` and `executor` as Spark on Kubernetes asks for them, anything else as
# it is. It writes nothing but a file in /tmp, and that only for a user whom /etc/passwd does not know.
#
# Java is started here rather than by Spark's scripts, so that the class path is the one that the archive of loaded
# classes was made with: the jars one by one in the same order on every machine, folders only after them. With any
# other class path the JVM ignores the archive.
set -euo pipefail

export SPARK_HOME=${SPARK_HOME:-/opt/spark}
export SPARK_CONF_DIR=${SPARK_CONF_DIR:-$SPARK_HOME/conf}
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
archive=$SPARK_HOME/archive/classes.jsa

# Java and Hadoop want a name and a home for the user. A cluster may run the container as a user of its own choice.
name_user() {
  getent passwd "$(id -u)" >/dev/null && return
  NSS_WRAPPER_PASSWD=$(mktemp /tmp/passwd.XXXXXX)
  NSS_WRAPPER_GROUP=/etc/group
  LD_PRELOAD=libnss_wrapper.so${LD_PRELOAD:+:$LD_PRELOAD}
  cat /etc/passwd >"$NSS_WRAPPER_PASSWD"
  printf '%s:x:%d:%d:Spark:%s:/bin/bash\n' "${SPARK_USER_NAME:-spark}-$(id -u)" "$(id -u)" "$(id -g)" "${HOME:-/home/spark}" \
    >>"$NSS_WRAPPER_PASSWD"
  export NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP LD_PRELOAD
}

# Spark's own Python is found whatever PYTHONPATH the application sets.
python_path() {
  [[ :${PYTHONPATH-}: == *":$SPARK_HOME/python:"* ]] || export PYTHONPATH=${PYTHONPATH:+$PYTHONPATH:}$SPARK_HOME/python
}

# jars prints Spark's jars, joined: those that the archive knows first, then those that were added to the image since.
# Among equals slf4j-api is first, where Spark's launcher has it.
jars() {
  local LC_ALL=C jar path=() known=" "
  if [[ -r $SPARK_HOME/archive/jars ]]; then
    while IFS= read -r jar; do
      path+=("$SPARK_HOME/jars/$jar")
      known+="$jar "
    done <"$SPARK_HOME/archive/jars"
  fi
  for jar in "$SPARK_HOME"/jars/slf4j-api-*.jar "$SPARK_HOME"/jars/*.jar; do
    [[ $known == *" ${jar##*/} "* ]] || path+=("$jar")
    known+="${jar##*/} "
  done
  local IFS=:
  printf '%s' "${path[*]}"
}

# join prints its arguments that are not empty, joined by colons.
join() {
  local IFS=: part parts=()
  for part in "$@"; do [[ -z $part ]] || parts+=("$part"); done
  printf '%s' "${parts[*]-}"
}

# launcher prints, each ended by a NUL, the words of the command by which Spark itself would start its driver.
launcher() {
  local jar=("$SPARK_HOME"/jars/spark-launcher_*.jar) scala status=0
  scala=${jar[0]##*/spark-launcher_}
  SPARK_SCALA_VERSION=${scala%%-*} "$java" -Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "${jar[0]}" org.apache.spark.launcher.Main "$@" || status=$?
  printf '%d\0' "$status"
}

# driver_class_path orders the class path that the launcher wants: what the application puts first, the jars, the
# rest, and the configuration last. It says in $first whether the application put anything first.
driver_class_path() {
  local entry entries rest=() conf=() front=() IFS=:
  read -ra entries <<<"$1"
  for entry in "${entries[@]}"; do
    case ${entry%/} in
      "") ;;
      "${SPARK_CONF_DIR%/}" | "${HADOOP_CONF_DIR%/}" | "${YARN_CONF_DIR%/}") conf+=("$entry") ;;
      "$SPARK_HOME"/jars/*) ;;
      *) if ((${#conf[@]} == 0)); then front+=("$entry"); else rest+=("$entry"); fi ;;
    esac
  done
  first=${front[*]-}
  class_path=$(join "${front[@]}" "$(jars)" "${rest[@]}" "${conf[@]}")
}

driver() {
  export PYTHONHASHSEED=0 # as bin/spark-submit does: Python's hashes are the same in every process
  export HADOOP_CONF_DIR=${HADOOP_CONF_DIR-} YARN_CONF_DIR=${YARN_CONF_DIR-}
  local words notes i status first class_path shared=()
  {
    IFS= read -r -d '' notes || true
    mapfile -d '' -t words
  } < <(launcher org.apache.spark.deploy.SparkSubmit \
    --conf "spark.driver.bindAddress=${SPARK_DRIVER_BIND_ADDRESS-}" \
    --conf "spark.executorEnv.SPARK_DRIVER_POD_IP=${SPARK_DRIVER_BIND_ADDRESS-}" \
    --deploy-mode client "$@")
  ((${#words[@]} > 0)) || exit "$notes" # the launcher said nothing; its status is the one word
  status=${words[-1]}
  unset 'words[-1]'
  if [[ $status != 0 ]]; then
    printf '%s\n' "$notes" "${words[@]}" >&2
    exit "$status"
  fi
  words[0]=${words[0]#$'\n'}
  for ((i = 0; i < ${#words[@]}; i++)); do [[ ${words[i]} != -cp ]] || break; done
  driver_class_path "${words[i + 1]}"
  [[ -n $first || ! -r $archive ]] || shared=("-XX:SharedArchiveFile=$archive")
  command=("${words[@]:0:i}" "${shared[@]}" -cp "$class_path" "${words[@]:i+2}")
}

executor() {
  local name options=() shared=()
  for name in $(compgen -v SPARK_JAVA_OPT_ | sort -t_ -k4n); do options+=("${!name}"); done
  [[ -n ${SPARK_CLASSPATH-} || ! -r $archive ]] || shared=("-XX:SharedArchiveFile=$archive")
  command=(
    "$java" "${shared[@]}" "${options[@]}" "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY"
    -cp "$(join "${SPARK_CLASSPATH-}" "$(jars)" "${SPARK_EXTRA_CLASSPATH-}" "${SPARK_DIST_CLASSPATH-}" \
      "$SPARK_CONF_DIR" "${HADOOP_CONF_DIR-}" "$PWD")"
    org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend
    --driver-url "$SPARK_DRIVER_URL" --executor-id "$SPARK_EXECUTOR_ID" --cores "$SPARK_EXECUTOR_CORES"
    --app-id "$SPARK_APPLICATION_ID" --hostname "$SPARK_EXECUTOR_POD_IP"
    --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" --podName "$SPARK_EXECUTOR_POD_NAME"
  )
}

name_user
python_path
if [[ -f $SPARK_CONF_DIR/spark-env.sh ]]; then
  set -a
  # shellcheck source=/dev/null
  . "$SPARK_CONF_DIR/spark-env.sh"
  set +a
fi
case ${1-} in
  driver) driver "${@:2}" ;;
  executor) executor ;;
  "") command=(/bin/bash) ;;
  *) command=("$@") ;;
esac
exec tini -s -- "${command[@]}"
