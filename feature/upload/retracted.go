package upload

import (
	"context"
	"errors"
	"regexp"

	"parley/store"
)

// inAddress finds possible ids of uploads in a message: in its body and attachments, with any scheme.
var inAddress = regexp.MustCompile(`/([A-Za-z0-9_-]{24})/`)

// maxPerMessage is how many files of one message are checked.
const maxPerMessage = 100

// retracted handles the retraction of an account's message. Its files are removed too, unless something else that is
// kept refers to them; Run finds that out.
func (s *Service) retracted(ctx context.Context, account string, kept []byte) {
	seen := make(map[string]bool)
	for _, m := range inAddress.FindAllSubmatch(kept, maxPerMessage) {
		id := string(m[1])
		if seen[id] {
			continue
		}
		seen[id] = true
		due, err := s.cfg.Store.RetractUpload(ctx, s.cfg.Host.Domain, id, account)
		if err != nil {
			s.cfg.Host.Log.Error("cannot note the file of a retracted message", "err", err)
			return
		}
		if due {
			select {
			case s.look <- struct{}{}:
			default: // Run checks anyway
			}
		}
	}
}

// Unlink removes files of retracted messages that nothing else refers to.
func (s *Service) Unlink(ctx context.Context) error {
	for {
		us, err := s.cfg.Store.RetractedUploads(ctx, s.cfg.Host.Domain, 100)
		if err != nil || len(us) == 0 {
			return err
		}
		for _, u := range us {
			referred, err := s.cfg.Store.UploadReferred(ctx, u.Upload)
			switch {
			case err != nil:
			case referred:
				err = s.cfg.Store.KeepUpload(ctx, u)
			default:
				err = s.removeFile(ctx, u.Upload)
			}
			if err != nil {
				return err
			}
		}
	}
}

// removeFile removes a file and then its row: a row without a file is found again later.
func (s *Service) removeFile(ctx context.Context, u store.Upload) error {
	if err := s.files.remove(ctx, u.ID); err != nil {
		return err
	}
	if err := s.cfg.Store.DeleteUpload(ctx, u.Host, u.ID); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}
