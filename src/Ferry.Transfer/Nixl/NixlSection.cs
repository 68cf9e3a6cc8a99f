namespace Ferry.Transfer.Nixl;

/// <summary>The regions of one backend and memory type, in the order in which they stand in the blob.</summary>
public sealed record NixlSection(string Backend, NixlMemoryType MemoryType, IReadOnlyList<NixlRegion> Regions);
