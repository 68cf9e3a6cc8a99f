using Ferry.TestKit.Contracts;
using Ferry.Transfer;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>Hand-over between pools that lie in memfds: the reader maps them and converts where they are.</summary>
public sealed class MappedHandoverTests : MappedHandoverContract
{
    protected override int Iterations => 20;

    protected override bool IsShared => true;

    protected override TimeProvider Clock => TimeProvider.System;

    protected override Task<ITransferAgent> StartAsync(TransferAgentOptions options, string? endpoint) => SharedMemoryHandoverTests.StartAgentAsync(options);

    protected override Task PassAsync(TimeSpan time) => Task.Delay(time, TestContext.Current.CancellationToken);
}
