namespace Ferry.Router.Routes;

/// <summary>One answer made of one a prompt.</summary>
internal interface IMergedAnswer : IDisposable
{
    /// <summary>Takes the decode node's answer to prompt <paramref name="promptIndex"/> in. Called from several tasks at a time.</summary>
    Task TakeAsync(int promptIndex, Stream answer, CancellationToken cancellationToken);

    /// <summary>All were taken: writes what is left.</summary>
    Task EndAsync(CancellationToken cancellationToken);

    /// <summary>One failed: its error is the client's, as a body or, when a stream has begun, as an event.</summary>
    Task FailAsync(int status, string contentType, ReadOnlyMemory<byte> error, CancellationToken cancellationToken);
}
