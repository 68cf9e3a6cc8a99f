namespace Ferry.Kv.Hashing;

/// <summary>A hash algorithm or seed that cannot be computed; the message says why and names what can.</summary>
public sealed class ChunkHashException : ArgumentException
{
    public ChunkHashException()
    {
    }

    public ChunkHashException(string message) : base(message)
    {
    }

    public ChunkHashException(string message, Exception innerException) : base(message, innerException)
    {
    }
}
