package people

import (
	"context"
	"errors"

	"parley/acts"
	"parley/internal/changes"
	"parley/internal/fault"
	"parley/internal/picture"
)

// Photos keeps people's photos where clients look for them.
type Photos interface {
	// SetPhoto writes a photo, PNG or JPEG; nil removes it. tell shows it to contacts.
	SetPhoto(ctx context.Context, account string, data []byte, typ string) (tell func(context.Context), err error)
}

// UsePhotos sets where photos are kept. Call it before anything changes.
func (p *People) UsePhotos(s Photos) { p.photos = s }

// maxPhoto is the maximum size of a photo in bytes: clients fetch all of it with a card.
const maxPhoto = 64 << 10

// Photo is a photo that is ready to be kept.
type Photo struct {
	data []byte
	typ  string
}

// Data gives the photo: PNG or JPEG.
func (p Photo) Data() []byte { return p.data }

// CheckPhoto makes a square photo from a file, without the file's metadata.
func CheckPhoto(file []byte) (Photo, error) {
	data, typ, err := picture.Square(file, maxPhoto)
	switch {
	case errors.Is(err, picture.ErrLarge):
		return Photo{}, fault.New(fault.Invalid, "photo",
			"This picture is too large: at most 8 MB and 24 million pixels")
	case errors.Is(err, picture.ErrSmall):
		return Photo{}, fault.New(fault.Invalid, "photo", "This picture is too small: at least 16 pixels each way")
	case errors.Is(err, picture.ErrFormat):
		return Photo{}, fault.New(fault.Invalid, "photo", "This is not a PNG, JPEG, GIF or WebP picture")
	}
	return Photo{data, typ}, err
}

// SetPhoto sets a person's photo; the zero Photo removes it. The person and people who may edit the account may do
// this.
func (p *People) SetPhoto(ctx context.Context, by Actor, name string, photo Photo) error {
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		u, err := p.FindFor(ctx, by, Edit, name, true)
		if err != nil {
			return err
		}
		tell, err := p.photos.SetPhoto(ctx, name, photo.data, photo.typ)
		if err != nil {
			return err
		}
		a.Changed(changes.Own, name)
		a.Note(acts.PersonPhoto, u.Address(), acts.Detail{"photo": photo.data != nil})
		a.After(tell)
		return nil
	})
}

// PhotoChanged keeps a photo that a person has published with a client: save writes it.
func (p *People) PhotoChanged(ctx context.Context, by Actor, name string, has bool,
	save func(ctx context.Context) error) error {
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		u, err := p.FindFor(ctx, by, Edit, name, true)
		if err != nil {
			return err
		}
		if err := save(ctx); err != nil {
			return err
		}
		a.Changed(changes.Own, name)
		a.Note(acts.PersonPhoto, u.Address(), acts.Detail{"photo": has})
		return nil
	})
}
