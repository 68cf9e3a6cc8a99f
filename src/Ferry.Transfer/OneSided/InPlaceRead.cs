using Ferry.Transfer.Media;

namespace Ferry.Transfer.OneSided;

/// <summary>What reads a peer's bytes while the peer holds them, in place of one copy of them all. Its target is usable only once the transfer has succeeded, as with any read.</summary>
/// <param name="RegionId">The peer's region.</param>
/// <param name="Mapped">Given the address of the region in this process. Called once; reads nothing but what the transfer asks for.</param>
/// <param name="Copied">The same with what copies out of the region, where it is not mapped; returns the error, or null.</param>
internal sealed record InPlaceRead(uint RegionId, Action<nint>? Mapped, Func<RemoteMemory, CancellationToken, Task<string?>>? Copied);
