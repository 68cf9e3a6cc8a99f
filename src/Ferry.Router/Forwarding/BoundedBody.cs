namespace Ferry.Router.Forwarding;

/// <summary>Reads a whole body that may not be longer than a limit.</summary>
internal static class BoundedBody
{
    private const int FirstBytes = 16 * 1024;

    /// <summary>Null: longer than <paramref name="maxBytes"/>.</summary>
    public static async Task<ReadOnlyMemory<byte>?> TryReadAsync(Stream stream, long? announcedBytes, long maxBytes, CancellationToken cancellationToken)
    {
        if (announcedBytes > maxBytes)
        {
            return null;
        }
        // One byte more than announced: the read that finds the end needs room, too.
        var buffer = new byte[Math.Max(announcedBytes is { } announced ? announced + 1 : FirstBytes, 256)];
        var byteCount = 0;
        while (true)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(byteCount), cancellationToken);
            if (read == 0)
            {
                return buffer.AsMemory(0, byteCount);
            }
            byteCount += read;
            if (byteCount > maxBytes)
            {
                return null;
            }
            if (byteCount == buffer.Length)
            {
                Array.Resize(ref buffer, (int)Math.Min((long)buffer.Length * 2, maxBytes + 1));
            }
        }
    }
}
