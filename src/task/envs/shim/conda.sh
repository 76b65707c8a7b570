# Stands in for conda where an environment is a Python of its own: scripts that were
# written for official images run unchanged. Sourced by sh and bash, also under
# `set -eu`, any number of times.
conda() {
  case "${1-}" in
    activate)
      case "${2-base}" in
        testbed | /opt/miniconda3/envs/testbed)
          if [ -d /opt/proofyard/env/bin ]; then
            case "${PATH-}" in
              /opt/proofyard/env/bin | /opt/proofyard/env/bin:*) ;;
              *) PATH=/opt/proofyard/env/bin:${PATH:-/usr/local/bin:/usr/bin:/bin} ;;
            esac
            export PATH
          fi
          CONDA_DEFAULT_ENV=testbed
          CONDA_PREFIX=/opt/miniconda3/envs/testbed
          export CONDA_DEFAULT_ENV CONDA_PREFIX
          ;;
        base | root) ;;
        *)
          echo "conda: there is no environment '$2' here, only 'testbed'" >&2
          return 1
          ;;
      esac
      ;;
    run)
      shift
      while [ $# -gt 0 ]; do
        case "$1" in
          -n | --name | -p | --prefix | --cwd) if [ $# -gt 1 ]; then shift 2; else shift; fi ;;
          -*) shift ;;
          *) break ;;
        esac
      done
      if [ $# -gt 0 ]; then
        (
          conda activate testbed
          "$@"
        )
      fi
      ;;
    install | create | remove | update | env)
      echo "conda: '$1' has no effect here" >&2
      ;;
    *) ;;
  esac
}
