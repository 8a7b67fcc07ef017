package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"egk8s": main})
}

// TestScripts runs the real command line; every script is one page about one behaviour.
func TestScripts(t *testing.T) {
	t.Parallel()
	gateway := &gatewayProgram{}
	t.Cleanup(gateway.remove)
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup:         pipelineScripts,
		Cmds:          map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "gateway": gateway.start, "logged": logged, "get": get},
	})
}

// exits runs a command that must end with an exit code: exits CODE COMMAND…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// pipelineScripts puts what action.yml and the pipelines of init would run into the folder of a script, so
// that the lines that users get are the lines that are tested.
func pipelineScripts(env *testscript.Env) error {
	root := filepath.Join("..", "..")
	var action struct {
		Runs struct {
			Steps []struct{ Run string }
		}
	}
	if err := readYAML(filepath.Join(root, "action.yml"), &action); err != nil {
		return err
	}
	var gitlab map[string]any
	if err := readYAML(filepath.Join(root, "templates", "ci", "gitlab", ".gitlab-ci.yml"), &gitlab); err != nil {
		return err
	}
	var task struct {
		Spec struct {
			Steps []struct{ Script string }
		}
	}
	if err := readYAML(filepath.Join(root, "templates", "ci", "tekton", ".tekton", "egk8s-deploy.yaml"), &task); err != nil {
		return err
	}
	var github struct {
		Jobs map[string]struct{ Steps []struct{ Run string } }
	}
	if err := readYAML(filepath.Join(root, "templates", "ci", "github", ".github", "workflows", "egk8s.yml"), &github); err != nil {
		return err
	}
	var circle struct {
		Jobs map[string]struct{ Steps []any }
	}
	if err := readYAML(filepath.Join(root, "templates", "ci", "circleci", ".circleci", "config.yml"), &circle); err != nil {
		return err
	}
	jenkins, err := os.ReadFile(filepath.Join(root, "templates", "ci", "jenkins", "Jenkinsfile"))
	if err != nil {
		return err
	}
	shell := regexp.MustCompile(`(?m)^\s+sh '(.*)'$`).FindAllSubmatch(jenkins, -1)
	scripts := map[string]string{
		"jenkins-validate.sh": string(shell[0][1]), "jenkins-deploy.sh": string(shell[1][1]),
		"circleci-validate.sh": command(circle.Jobs["validate"].Steps), "circleci-deploy.sh": command(circle.Jobs["deploy"].Steps),
		"github-diff.sh":     github.Jobs["review"].Steps[1].Run,
		"github-comment.sh":  github.Jobs["review"].Steps[2].Run,
		"action-install.sh":  action.Runs.Steps[0].Run,
		"action.sh":          action.Runs.Steps[1].Run,
		"gitlab-validate.sh": script(gitlab, "validate"),
		"gitlab-deploy.sh":   script(gitlab, "deploy"),
		"tekton.sh":          task.Spec.Steps[0].Script,
	}
	dir := filepath.Join(env.WorkDir, ".pipelines")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	env.Setenv("PIPELINES", dir)
	installer, err := filepath.Abs(filepath.Join(root, "install.sh"))
	if err != nil {
		return err
	}
	env.Setenv("INSTALLER", installer)
	for name, text := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// command is what the run step of a job of CircleCI runs.
func command(steps []any) string {
	return steps[1].(map[string]any)["run"].(map[string]any)["command"].(string)
}

func script(jobs map[string]any, job string) string {
	text := "set -e\n"
	for _, line := range jobs[job].(map[string]any)["script"].([]any) {
		text += line.(string) + "\n"
	}
	return text
}

func readYAML(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return yaml.Unmarshal(data, into)
}
