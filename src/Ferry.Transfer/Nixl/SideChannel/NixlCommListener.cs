using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ferry.Transfer.Nixl.SideChannel;

/// <summary>Answers NIXL agents on their own side channel: gives the own metadata, takes theirs.</summary>
public sealed class NixlCommListener : IAsyncDisposable
{
    private static readonly TimeSpan PauseAfterFailedAccept = TimeSpan.FromMilliseconds(100);

    private readonly NixlCommOptions _options;
    private readonly INixlCommHandler _handler;
    private readonly Socket _listener;
    private readonly ConcurrentDictionary<Task, bool> _connections = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;

    private NixlCommListener(NixlCommOptions options, INixlCommHandler handler, Socket listener)
    {
        _options = options;
        _handler = handler;
        _listener = listener;
        Endpoint = (IPEndPoint)listener.LocalEndPoint!;
        _accepting = AcceptAllAsync(_stopping.Token);
    }

    public IPEndPoint Endpoint { get; }

    /// <summary>Open connections.</summary>
    public int ConnectionCount => _connections.Count;

    /// <summary>Binds and listens.</summary>
    /// <exception cref="TransferConfigurationException">The options contradict themselves or this machine.</exception>
    public static NixlCommListener Start(NixlCommOptions options, INixlCommHandler handler)
    {
        options.ThrowIfInvalid();
        var listener = new Socket(options.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(options.Address, options.Port));
            listener.Listen(options.ConnectionCountMax);
        }
        catch (SocketException exception)
        {
            listener.Dispose();
            throw new TransferConfigurationException($"Listening on {options.Address}:{options.Port} for NIXL agents failed: {exception.Message}", exception);
        }
        return new NixlCommListener(options, handler, listener);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_connections.Keys);
        _stopping.Dispose();
    }

    private async Task AcceptAllAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var socket = await _listener.AcceptAsync(stopping);
                if (_connections.Count >= _options.ConnectionCountMax)
                {
                    NixlLog.CommRefused(_options.Logger, socket.RemoteEndPoint?.ToString() ?? "unknown", _options.ConnectionCountMax);
                    socket.Dispose();
                    continue;
                }
                socket.NoDelay = true;
                var serving = ServeAsync(new NixlCommConnection(socket, _options.Limits), stopping);
                _connections[serving] = true;
                _ = serving.ContinueWith(static (ended, connections) => ((ConcurrentDictionary<Task, bool>)connections!).TryRemove(ended, out _),
                    _connections, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                if (stopping.IsCancellationRequested)
                {
                    return;
                }
                // Out of file descriptors, most likely: that passes as connections close.
                Log.AcceptFailed(_options.Logger, PauseAfterFailedAccept, exception);
                await Task.Delay(PauseAfterFailedAccept, _options.Time, CancellationToken.None);
            }
        }
    }

    private async Task ServeAsync(NixlCommConnection connection, CancellationToken stopping)
    {
        await Task.Yield();
        using (connection)
        {
            try
            {
                NixlLog.CommClosed(_options.Logger, connection.RemoteName, await AnswerAllAsync(connection, stopping));
            }
            catch (OperationCanceledException)
            {
                NixlLog.CommClosed(_options.Logger, connection.RemoteName, "this agent closes.");
            }
#pragma warning disable CA1031 // The edge of a connection: a defect here must not take the other connections along.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Log.ConnectionFaulted(_options.Logger, connection.RemoteName, exception);
            }
        }
    }

    private async Task<string> AnswerAllAsync(NixlCommConnection connection, CancellationToken stopping)
    {
        while (true)
        {
            using var idle = new CancellationTokenSource(_options.IdleTimeout, _options.Time);
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stopping, idle.Token);
            (NixlCommMessage Message, string? Error) received;
            try
            {
                received = await connection.ReceiveAsync(_options.Patience, _options.Time, waiting.Token);
            }
            catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
            {
                return $"no frame for {_options.IdleTimeout}.";
            }
            if (received.Error is { } error)
            {
                return error;
            }
            if (await AnswerAsync(connection, received.Message, stopping) is { } ended)
            {
                return ended;
            }
        }
    }

    /// <summary>Returns why the connection ends, or null.</summary>
    private async Task<string?> AnswerAsync(NixlCommConnection connection, NixlCommMessage message, CancellationToken stopping)
    {
        switch (message.Command)
        {
            case NixlCommCommand.Send:
                using (var timeout = new CancellationTokenSource(_options.Patience, _options.Time))
                using (var deadline = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token))
                {
                    try
                    {
                        return await connection.SendAsync(NixlCommCommand.Load, _handler.LocalMetadata, deadline.Token);
                    }
                    catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
                    {
                        return $"it did not take the metadata within {_options.Patience}.";
                    }
                }
            case NixlCommCommand.Load:
                if (!NixlCodec.TryDecode(message.Body.Span, _options.Limits, out NixlMetadata? metadata, out var error))
                {
                    return error;
                }
                _handler.Loaded(metadata);
                return null;
            default:
                _handler.Invalidated(Encoding.UTF8.GetString(message.Body.Span));
                return null;
        }
    }
}
