using StackExchange.Redis;

namespace Ferry.Cache.Remote.Redis;

/// <summary>What a failed command means and what to do about it. Of the server's answer only the first word is repeated.</summary>
internal static class RedisFault
{
    public static string Explain(Exception error, RedisTierOptions options) => error switch
    {
        TimeoutException => "it did not answer by the deadline. Is it busy, stopped, or saving?",
        RedisTierException own => own.Message.TrimEnd('.'),
        RedisServerException answer => OfAnswer(FirstWord(answer.Message)),
        RedisConnectionException lost => OfConnection(Innermost(lost), options),
        _ => $"{error.GetType().Name}",
    };

    /// <summary>The server takes no more: an answer, not a failure.</summary>
    public static bool IsFull(Exception error) => error is RedisServerException answer && FirstWord(answer.Message) == "OOM";

    /// <summary>A replica, or a primary that lost its replicas and was told to stop.</summary>
    public static bool IsReadOnly(Exception error) => error is RedisServerException answer && FirstWord(answer.Message) is "READONLY" or "NOREPLICAS";

    /// <summary>Why no connection came about; the outer ones say only that none is there.</summary>
    private static ConnectionFailureType Innermost(RedisConnectionException error)
    {
        var failure = error.FailureType;
        for (var inner = error.InnerException; inner is not null; inner = inner.InnerException)
        {
            failure = inner is RedisConnectionException deeper ? deeper.FailureType : failure;
        }
        return failure;
    }

    private static string OfAnswer(string word) => word switch
    {
        "WRONGPASS" or "NOAUTH" => $"it answered {word}: user or password are not right. Set REDISCLI_AUTH or the credentials file",
        "NOPERM" => $"it answered {word}: the user may not do this. Grant it strings, hashes, keys and scripts under the prefix (ACL)",
        "LOADING" => $"it answered {word}: it reads its data after a start",
        "MISCONF" => $"it answered {word}: it cannot save to its disk and so takes no writes. Mend its disk, or turn stop-writes-on-bgsave-error off",
        "CLUSTERDOWN" => $"it answered {word}: the cluster has not all its slots",
        _ => $"it answered {word}",
    };

    private static string OfConnection(ConnectionFailureType failure, RedisTierOptions options) => failure switch
    {
        ConnectionFailureType.AuthenticationFailure when options.Location.IsTls =>
            "it refuses user or password (REDISCLI_AUTH or the credentials file), or no TLS connection came about. Is the port the TLS one, and its certificate trusted (ca=)?",
        ConnectionFailureType.AuthenticationFailure =>
            "it refuses user or password. Set REDISCLI_AUTH or the credentials file, and the user in the URL (redis://USER@HOST:PORT)",
        ConnectionFailureType.ProtocolFailure => "its answer is not RESP. Is that Redis' port?",
        ConnectionFailureType.Loading => "it reads its data after a start",
        ConnectionFailureType.SocketFailure or ConnectionFailureType.SocketClosed => "the connection was lost",
        _ when options.Location.IsTls =>
            "no TLS connection came about. Is it running, are host and port right and the port the TLS one, and is its certificate trusted (ca=)?",
        _ => "nothing answers there. Is it running, and are host and port right?",
    };

    /// <summary>An error code is a word of capitals; whatever else a stranger puts there is not repeated.</summary>
    private static string FirstWord(string message)
    {
        foreach (var part in message.Split(' ', ':', '-'))
        {
            if (part.Length is > 2 and <= 24 && part.All(char.IsAsciiLetterUpper))
            {
                return part;
            }
        }
        return "an error";
    }
}
