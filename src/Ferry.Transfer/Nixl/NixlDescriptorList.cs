namespace Ferry.Transfer.Nixl;

/// <summary>Ranges of one memory type: what a transfer is made of.</summary>
public sealed record NixlDescriptorList(NixlMemoryType MemoryType, IReadOnlyList<NixlDescriptor> Descriptors);
