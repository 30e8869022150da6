"""What tests share: servers, worlds, scripts."""
