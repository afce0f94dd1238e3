"""Games to be watched: frames, pages, pictures. Python decides every colour and who sees what; scripts only paint."""
