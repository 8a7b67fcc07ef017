package manage

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
)

// Tokens returns the command for tokens.
func Tokens(a *app.App) *cobra.Command {
	o := NewOptions(a)
	group := app.Group(&cobra.Command{
		Use: "tokens", Aliases: []string{"token"}, GroupID: GroupID,
		Short: "Revoke tokens of the OAuth2 server of a running gateway",
	})
	var stdin bool
	revoke := &cobra.Command{
		Use: "revoke TOKEN...", Short: "Revoke access or refresh tokens",
		Long: "Revoke access or refresh tokens, written as clients get them: ID|SECRET. Other users of this machine can\n" +
			"see arguments; --stdin reads the tokens from standard input instead.",
		Example: "  egk8s tokens revoke --stdin < tokens.txt",
		RunE: func(cmd *cobra.Command, args []string) error {
			if stdin {
				more, err := o.words()
				if err != nil {
					return err
				}
				args = append(args, more...)
			}
			return o.with(cmd.Context(), func(ctx context.Context, c *client) error { return o.revoke(ctx, c, args) })
		},
	}
	revoke.Args = func(cmd *cobra.Command, args []string) error {
		if stdin {
			return nil
		}
		return atLeastOne("TOKEN, or --stdin")(cmd, args)
	}
	revoke.Flags().BoolVar(&stdin, "stdin", false, "read tokens from standard input, one a line")
	o.Bind(revoke)
	group.AddCommand(revoke)
	return group
}

func (o *Options) revoke(ctx context.Context, c *client, tokens []string) error {
	for i, token := range tokens {
		id, _, _ := strings.Cut(token, "|")
		err := c.do(ctx, http.MethodDelete, "/tokens"+part(token), nil, nil)
		if isMissing(err) {
			// The answer repeats the token.
			return &exit.Error{Code: exit.NotFound, Err: fmt.Errorf("token %d of %d is not known or not valid any more", i+1, len(tokens))}
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(o.App.IO.Out, "token %s revoked\n", id)
	}
	return nil
}

// words reads the lines of standard input that are not empty.
func (o *Options) words() ([]string, error) {
	var out []string
	reader := bufio.NewScanner(o.App.IO.In)
	for reader.Scan() {
		if text := strings.TrimSpace(reader.Text()); text != "" {
			out = append(out, text)
		}
	}
	if len(out) == 0 {
		return nil, &exit.UsageError{Message: "no token on standard input"}
	}
	return out, reader.Err()
}
