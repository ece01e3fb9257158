package people

import (
	"context"
	"reflect"
	"slices"

	"parley/acts"
)

// ordered is how a list of definitions is read and written. Its members have an order.
type ordered[T any] struct {
	read  func(ctx context.Context) ([]T, error)
	write func(ctx context.Context, host string, one T) error
	id    func(one *T) string
	place func(one *T) *int64
}

// change changes the list within an act. f gives the new list, in order; it uses the context that it gets for the
// store, and removes itself what is not in the list any more. Only members that are different are written.
func (o ordered[T]) change(ctx context.Context, a *acts.Act, host string,
	f func(ctx context.Context, a *acts.Act, now []T) ([]T, error)) error {
	was, err := o.read(ctx)
	if err != nil {
		return err
	}
	now, err := f(ctx, a, slices.Clone(was))
	if err != nil {
		return err
	}
	for i, one := range now {
		*o.place(&one) = int64(i + 1)
		same := func(old T) bool { return o.id(&old) == o.id(&one) && reflect.DeepEqual(old, one) }
		if slices.ContainsFunc(was, same) {
			continue
		}
		if err := o.write(ctx, host, one); err != nil {
			return err
		}
	}
	return nil
}
