package exit_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/gateway/diag"
)

func TestOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		want exit.Code
	}{
		{"none", nil, exit.OK},
		{"the reader of the pipe went away", &os.PathError{Op: "write", Err: syscall.EPIPE}, exit.OK},
		{"unknown", errors.New("x"), exit.Bug},
		{"usage", &exit.UsageError{Message: "x"}, exit.Usage},
		{"own code", &exit.Error{Code: exit.Differences, Err: errors.New("x")}, exit.Differences},
		{"no kubeconfig", &deployer.NoConfigError{}, exit.Usage},
		{"problems", diag.Problems{{Severity: diag.Error}}, exit.Project},
		{"settings", &deployer.SettingsError{}, exit.Project},
		{"newer record", &deployer.NewerRecordError{}, exit.Project},
		{"unreachable", &deployer.UnreachableError{Err: errors.New("x")}, exit.Unreachable},
		{"the cloud's API", &deployer.CloudError{Err: errors.New("x")}, exit.Unreachable},
		{"unreachable within the time limit", &deployer.UnreachableError{Err: context.DeadlineExceeded}, exit.Unreachable},
		{"forbidden", &deployer.ForbiddenError{Err: errors.New("x")}, exit.Unreachable},
		{"conflict", &deployer.ConflictError{}, exit.Refused},
		{"immutable", &deployer.ImmutableError{}, exit.Refused},
		{"refused", &deployer.RefusedError{Err: errors.New("x")}, exit.Refused},
		{"plan that is stale", &deployer.StalePlanError{}, exit.Refused},
		{"unhealthy", &deployer.UnhealthyError{}, exit.Unhealthy},
		{"check", &deployer.CheckError{}, exit.Unhealthy},
		{"time-out", &deployer.TimeoutError{}, exit.Unfinished},
		{"locked", &deployer.LockedError{}, exit.Unfinished},
		{"detached", &deployer.InterruptedError{Err: deployer.ErrDetached}, exit.Unfinished},
		{"image", &deployer.ImageError{Err: errors.New("x")}, exit.Image},
		{"image whose registry is not reachable", &deployer.ImageError{Err: &deployer.UnreachableError{Err: errors.New("x")}}, exit.Image},
		{"not deployed", &deployer.NotDeployedError{}, exit.NotFound},
		{"SIGINT", &deployer.InterruptedError{Err: &exit.SignalError{Signal: syscall.SIGINT}}, exit.Interrupted},
		{"SIGTERM", &deployer.InterruptedError{Err: &exit.SignalError{Signal: syscall.SIGTERM}}, exit.Terminated},
		{"SIGTERM beside a cancelled context", errors.Join(&exit.SignalError{Signal: syscall.SIGTERM}, context.Canceled), exit.Terminated},
		{"wrapped", fmt.Errorf("deploy: %w", &deployer.LockedError{}), exit.Unfinished},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := exit.Of(test.err); got != test.want {
				t.Errorf("Of(%v) = %d, want %d", test.err, got, test.want)
			}
		})
	}
}

// TestSeveral holds the published order: the first of 5, 6, 8, 4, 7 that occurred.
func TestSeveral(t *testing.T) {
	t.Parallel()
	tests := []struct {
		codes []exit.Code
		want  exit.Code
	}{
		{nil, 0},
		{[]exit.Code{0, 0}, 0},
		{[]exit.Code{7, 4, 8, 6, 5}, 5},
		{[]exit.Code{7, 4, 8, 6}, 6},
		{[]exit.Code{7, 4, 8}, 8},
		{[]exit.Code{7, 4}, 4},
		{[]exit.Code{0, 7}, 7},
		{[]exit.Code{143, 6}, 6},
		{[]exit.Code{0, 130}, 130},
		{[]exit.Code{3, 0}, 3},
		{[]exit.Code{10, 0}, 10},
		{[]exit.Code{10, 7}, 7},
	}
	for _, test := range tests {
		if got := exit.Several(test.codes); got != test.want {
			t.Errorf("Several(%v) = %d, want %d", test.codes, got, test.want)
		}
	}
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	want := []exit.Code{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130, 143}
	table := exit.Table()
	if len(table) != len(want) {
		t.Fatalf("got %d codes, want %d", len(table), len(want))
	}
	for i, info := range table {
		if info.Code != want[i] || info.Meaning == "" {
			t.Errorf("row %d is %+v, want code %d with a meaning", i, info, want[i])
		}
	}
}
