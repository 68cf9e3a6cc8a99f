namespace Ferry.Transfer.SideChannel;

/// <summary>Where and how an agent's bytes can be had by one medium.</summary>
/// <param name="Medium">Such as <c>tcp</c>.</param>
/// <param name="Address">In the medium's own form; for <c>tcp</c> UTF-8 <c>host:port</c>, where an unspecified host means the one the handshake came through.</param>
public sealed record MediumAddress(string Medium, ReadOnlyMemory<byte> Address)
{
    /// <summary>A UCX worker address has a few hundred bytes.</summary>
    public const int AddressBytesMax = 4096;

    public const int CountMax = 16;
}
