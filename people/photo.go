package people

import (
	"context"
	"errors"

	"parley/org"
	"parley/picture"
)

// Photos keeps people's pictures where clients look for them.
type Photos interface {
	// SetPhoto keeps one, PNG or JPEG, and shows it to contacts; nil takes it away.
	SetPhoto(ctx context.Context, account string, data []byte, typ string) error
}

// UsePhotos says where pictures are kept.
func (p *People) UsePhotos(s Photos) { p.photos = s }

// maxPhoto bounds a picture in bytes: clients take the whole of it with a card.
const maxPhoto = 64 << 10

// Photo is a picture that is fit to be kept.
type Photo struct {
	data []byte
	typ  string
}

// Data is the picture itself: PNG or JPEG.
func (p Photo) Data() []byte { return p.data }

// CheckPhoto makes a square picture of a file, without what is in the file besides.
func CheckPhoto(file []byte) (Photo, error) {
	data, typ, err := picture.Square(file, maxPhoto)
	switch {
	case errors.Is(err, picture.ErrLarge):
		return Photo{}, fail(org.Invalid, "photo", "This picture is too large: at most 8 MB and 24 million pixels")
	case errors.Is(err, picture.ErrSmall):
		return Photo{}, fail(org.Invalid, "photo", "This picture is too small: at least 16 pixels each way")
	case errors.Is(err, picture.ErrFormat):
		return Photo{}, fail(org.Invalid, "photo", "This is no picture in PNG, JPEG, GIF or WebP")
	}
	return Photo{data, typ}, err
}

// SetPhoto gives somebody a picture; that of nothing takes it away. The person may, and who may change the person.
func (p *People) SetPhoto(ctx context.Context, a Actor, name string, photo Photo) error {
	u, err := p.Get(ctx, name)
	if err != nil {
		return err
	}
	if a.Name != name || a.Name == "" {
		if err := a.may(Edit, u); err != nil {
			return err
		}
	}
	if err := p.photos.SetPhoto(ctx, name, photo.data, photo.typ); err != nil {
		return err
	}
	p.audit(ctx, a, "person.photo", u.Address(), map[string]any{"photo": photo.data != nil})
	return nil
}
