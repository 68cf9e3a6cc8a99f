namespace Ferry.UnitTests.Cache.Tiers.Disk;

internal static class RandomPayload
{
    public static byte[] Payload(this Random random, int byteCount)
    {
        var bytes = new byte[byteCount];
        random.NextBytes(bytes);
        return bytes;
    }
}
