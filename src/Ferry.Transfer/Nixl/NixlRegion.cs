namespace Ferry.Transfer.Nixl;

/// <summary>Memory that an agent has registered, and the key with which its backend lets others use it.</summary>
/// <param name="RemoteKey">Of the backend's own form; a packed <c>ucp_rkey</c> for UCX.</param>
public sealed record NixlRegion(NixlDescriptor Memory, ReadOnlyMemory<byte> RemoteKey);
