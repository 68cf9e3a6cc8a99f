namespace Ferry.Transfer;

/// <summary>The file behind a region's bytes: a memfd of this process, which others on this host may map.</summary>
/// <param name="Descriptor">Open until the region is deregistered; the caller's to close.</param>
/// <param name="FileOffset">Of the region's first byte; a multiple of the page size.</param>
public sealed record SharedBacking(int Descriptor, long FileOffset);
