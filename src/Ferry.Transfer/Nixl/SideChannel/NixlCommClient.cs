using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ferry.Transfer.Nixl.SideChannel;

/// <summary>Asks another NIXL agent for its metadata, or gives it the own.</summary>
public static class NixlCommClient
{
    // A peer that has just started answers without sections until it has registered its memory: ask again, as often as its engine needs.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(100);

    /// <summary>Fetches the metadata, again and again until it has a section or the token ends the wait.</summary>
    /// <returns>Success and the metadata, or why there is none.</returns>
    public static async Task<(TransferOutcome Outcome, NixlMetadata? Metadata)> FetchAsync(
        IPEndPoint endpoint, NixlCommOptions options, CancellationToken cancellationToken)
    {
        NixlMetadata? fetched = null;
        var outcome = await WithConnectionAsync(endpoint, options, async (connection, token) =>
        {
            while (true)
            {
                if (await connection.SendAsync(NixlCommCommand.Send, default, token) is { } sendError)
                {
                    return Lost(sendError);
                }
                var (message, error) = await connection.ReceiveAsync(options.Patience, options.Time, token);
                if (error is not null)
                {
                    return Lost(error);
                }
                if (message.Command != NixlCommCommand.Load)
                {
                    continue; // its own question, or its leave: not what was asked
                }
                if (!NixlCodec.TryDecode(message.Body.Span, options.Limits, out NixlMetadata? metadata, out var malformed))
                {
                    return TransferOutcome.Failed(TransferPhase.Handshake, TransferSide.Remote, TransferError.ProtocolViolation, malformed);
                }
                if (metadata.Sections.Count > 0)
                {
                    fetched = metadata;
                    return TransferOutcome.Success(TransferPhase.Handshake);
                }
                await Task.Delay(RetryAfter, options.Time, token);
            }
        }, cancellationToken);
        return (outcome, fetched);
    }

    /// <summary>Gives the own metadata. The protocol has no answer: success means that the bytes have left.</summary>
    public static Task<TransferOutcome> SendAsync(IPEndPoint endpoint, ReadOnlyMemory<byte> metadata, NixlCommOptions options, CancellationToken cancellationToken) =>
        TellAsync(endpoint, NixlCommCommand.Load, metadata, options, cancellationToken);

    /// <summary>Says that the agent of this name goes.</summary>
    public static Task<TransferOutcome> InvalidateAsync(IPEndPoint endpoint, string agentName, NixlCommOptions options, CancellationToken cancellationToken) =>
        TellAsync(endpoint, NixlCommCommand.Invalidate, Encoding.UTF8.GetBytes(agentName), options, cancellationToken);

    private static Task<TransferOutcome> TellAsync(
        IPEndPoint endpoint, NixlCommCommand command, ReadOnlyMemory<byte> body, NixlCommOptions options, CancellationToken cancellationToken) =>
        WithConnectionAsync(endpoint, options, async (connection, token) =>
            await connection.SendAsync(command, body, token) is { } error ? Lost(error) : TransferOutcome.Success(TransferPhase.Handshake), cancellationToken);

    private static async Task<TransferOutcome> WithConnectionAsync(
        IPEndPoint endpoint, NixlCommOptions options, Func<NixlCommConnection, CancellationToken, Task<TransferOutcome>> use, CancellationToken cancellationToken)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var timeout = new CancellationTokenSource(options.Patience, options.Time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            await socket.ConnectAsync(endpoint, deadline.Token);
            using var connection = new NixlCommConnection(socket, options.Limits);
            return await use(connection, deadline.Token);
        }
        catch (SocketException exception)
        {
            return TransferOutcome.Failed(TransferPhase.Connect, TransferSide.Remote, TransferError.Unreachable, $"{endpoint}: {exception.Message}");
        }
        catch (OperationCanceledException)
        {
            return cancellationToken.IsCancellationRequested
                ? TransferOutcome.Failed(TransferPhase.Connect, TransferSide.Local, TransferError.Cancelled, $"Talking to the NIXL agent at {endpoint} was cancelled.")
                : TransferOutcome.Failed(TransferPhase.Handshake, TransferSide.Remote, TransferError.TimedOut,
                    $"The NIXL agent at {endpoint} gave no metadata with registered memory within {options.Patience}.");
        }
        finally
        {
            socket.Dispose();
        }
    }

    private static TransferOutcome Lost(string message) =>
        TransferOutcome.Failed(TransferPhase.Handshake, TransferSide.Remote, TransferError.ConnectionLost, message);
}
