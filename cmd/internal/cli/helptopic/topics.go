package helptopic

import (
	"fmt"
	"strings"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/templates"
)

// Topic is a page of help that belongs to no single command.
type Topic struct {
	Name  string
	Short string
	Text  func() string
}

// Topics returns all pages in the order in which they are listed.
func Topics() []Topic {
	return []Topic{
		{"environment", "variables that egk8s reads", environment},
		{"exit-codes", "what the exit codes mean", exitCodes},
		{"differences", "where the gateway differs from Express Gateway", differences},
		{"diagnoses", "the codes of what makes a deploy fail", diagnoses},
		{"formats", "what -o, --progress and --report write", formats},
		{"ci", "running egk8s as a step of a pipeline", ci},
		{"rbac", "the rights egk8s needs in a cluster", rbac},
	}
}

func exitCodes() string {
	var b strings.Builder
	b.WriteString("A pipeline may rely on these codes; they do not change.\n\n")
	b.WriteString("  code  retry  meaning\n")
	for _, i := range exit.Table() {
		retry := i.Retry
		if retry == "" {
			retry = "-"
		}
		fmt.Fprintf(&b, "  %4d  %-5s  %s\n", i.Code, retry, i.Meaning)
	}
	b.WriteString("\nSeveral targets (deploy --env a,b): the first of 5, 6, 8, 4, 7 that occurred.\n")
	b.WriteString("A rollback does not change the code of the failure that caused it.\n")
	return b.String()
}

func environment() string {
	return `A flag wins over its variable, a variable over the project file.

Values of flags:
  EGK8S_FILE         --file
  EGK8S_ENV          --env
  EGK8S_CLOUD        --cloud
  EGK8S_NAMESPACE    --namespace
  EGK8S_CONTEXT      --context
  EGK8S_TIMEOUT      --timeout
  EGK8S_PROGRESS     --progress
  EGK8S_COLOR        --color
  EGK8S_NO_INPUT     --no-input (true or false)
  EGK8S_LOG_FORMAT   --log-format

How things are shown:
  EGK8S_ACCESSIBLE   any value but 0: only whole lines, nothing is redrawn
  EGK8S_ASCII        any value but 0: signs and lines of ASCII characters
  NO_COLOR           any value: no colour (--color=always overrides)
  TERM, COLUMNS      what the terminal can do and how wide it is
  LC_ALL, LC_CTYPE, LANG   whether it shows UTF-8

Where the cluster and the registry are:
  KUBECONFIG         kubeconfig files (default ~/.kube/config)
  DOCKER_CONFIG      folder of config.json with the registry's credentials
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY
  TRITON_PROFILE, TRITON_URL, TRITON_ACCOUNT, TRITON_USER, TRITON_KEY_ID, TRITON_KEY_MATERIAL, TRITON_ACT_AS,
                     TRITON_TLS_INSECURE: CloudAPI of Triton, as for the triton command (also SDC_…)
  SSH_AUTH_SOCK      ssh-agent that holds the key for it
  EGK8S_CNS_SERVER   HOST:PORT of the name server to ask for Triton's names (default: this machine's)

Where the Admin API is (users, apps, credentials, scopes, tokens):
  EGK8S_ADMIN_URL    --admin-url
  EGK8S_ADMIN_TOKEN  the token that it asks for

Where it runs:
  CI                 any value but false: no question is asked, nothing is redrawn
  GITHUB_ACTIONS, GITLAB_CI   write annotations, groups, sections (--ci)
  RUNNER_DEBUG       1: the same as -v
  SOURCE_DATE_EPOCH  the time written into what must be reproducible
`
}

func diagnoses() string {
	var b strings.Builder
	b.WriteString("A deploy that ends with exit code 6 names its causes by these codes (failures[].code with -o json).\n" +
		"A cause is named only by proof: a fact that does not go away by waiting, or one that has lasted.\n\n")
	for _, d := range deployer.Diagnoses() {
		fmt.Fprintf(&b, "  %-18s %s\n  %-18s named: %s\n", d.Code, d.Meaning, "", d.Named)
	}
	return b.String()
}

func formats() string {
	return `Standard output carries the result, standard error tells what happens.

-o, --output
  json, yaml   one document with apiVersion and kind (most commands: see the --help of each)
               (several targets: DeployResults or StatusResults, with one result in targets[] for each)
  wide         status with every pod; history with image and program
  name         names, a line each: Kind/name (render, deploy, rollback, destroy), what differs (diff),
               revisions (history), ids (users, apps), TYPE/ID (credentials)

--progress (on standard error)
  auto         tui where standard error and input are a terminal and no CI runs; else plain
  tui          a live view; q stops watching (exit code 7), the last frame stays
  plain        one line per change, and one every 15 seconds while nothing changes
  json         one event per line: {"t","seq","target","phase","type","object",…}; the last line is
               {"type":"end","outcome","exitCode","error","problems","targets"}
  quiet        nothing but the reason of a failure

--report KIND=PATH (repeatable)
  junit        a test suite for each target: one case per object, phase and probe
  json         the document of -o json
  markdown     the summary that a pull request or a job page shows
  dotenv       NAME=value lines for the next job: EGK8S_OUTCOME, EGK8S_URL, …

--ci
  github       ::error annotations for problems in files, ::group:: per phase, step outputs, step summary
  gitlab       a collapsible section per phase
`
}

func ci() string {
	return `egk8s deploy is made to be a step: it asks nothing, ends by itself, and its exit code says
whether a retry makes sense (egk8s help exit-codes).

  egk8s validate
  egk8s diff --against origin/main --fail-on breaking    # a pull request; no cluster is asked
  egk8s check
  egk8s deploy --cloud gke --timeout 5m --report junit=egk8s.xml

GitHub Actions   egk8s init --pipeline github writes a workflow; or use the action of the repository.
                 outputs: outcome, exit-code, revision, url, image, changed
GitLab CI        egk8s init --pipeline gitlab writes a job; JUnit and dotenv reports are kept.
Tekton           egk8s init --pipeline tekton writes a Task with results outcome, revision and url.
Jenkins          egk8s init --pipeline jenkins writes a Jenkinsfile; JUnit reports and evidence are kept.
CircleCI         egk8s init --pipeline circleci writes a config; test results and evidence are kept.

Rules
  --timeout stays below the time limit of the job; at 80 % of it a warning is written.
  Log lines of a workload are prefixed and, on GitHub, cannot issue commands.
  A second deploy of the same release at the same time ends with 7 and names who holds the lock.
  A deploy that changes nothing says "unchanged" and ends with 0.
`
}

// rbac is a manifest as it stands, so that it can be piped to kubectl apply.
func rbac() string {
	role, err := templates.FS.ReadFile("rbac/role.yaml")
	if err != nil {
		return "# the Role is missing in this build\n"
	}
	return string(role)
}
