"""Speed and size of Theseus as ratios against bare Temporal, in one run on one machine."""
