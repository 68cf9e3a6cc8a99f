namespace Ferry.Cache.Remote.S3;

/// <summary>A body ended before its announced length.</summary>
internal sealed class S3BodyCutException(long receivedBytes, long expectedBytes) : IOException("The body ended early.")
{
    public long ReceivedBytes => receivedBytes;

    public long ExpectedBytes => expectedBytes;
}
