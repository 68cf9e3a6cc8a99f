namespace Ferry.Transfer.Nixl;

/// <summary>One piece of a transfer with a NIXL agent.</summary>
/// <param name="Local">Own registered memory.</param>
/// <param name="LocalOffset">First byte in it.</param>
/// <param name="Remote">The peer's range; as many bytes are moved.</param>
public readonly record struct NixlMove(NixlMemory Local, long LocalOffset, NixlDescriptor Remote);
