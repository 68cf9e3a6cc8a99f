namespace Ferry.Transfer.OneSided;

internal static class TransferFlagsExtensions
{
    /// <summary>Whether a frame may carry them: no bit of a later release, and not two ways to move at once.</summary>
    public static bool AreKnown(this TransferFlags flags, TransferDirection direction) =>
        (flags & ~TransferFlags.Checksum) is TransferFlags.None or TransferFlags.InPlace
        || (direction == TransferDirection.Read ? flags == TransferFlags.Taken : (flags & ~TransferFlags.Checksum) == TransferFlags.Fetch);
}
