package exit

import "context"

// Interrupt is err, or Interrupted where Ctrl-C ended the command by way of ctx: there is nothing to say then.
func Interrupt(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return Interrupted
	}
	return err
}
