using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Lm;
using Ferry.Cache.Remote.Resp;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Fronts;

/// <summary>Puts fronts into a host. The host's services have an <see cref="IClientStore"/>, a <see cref="FrontMetrics"/> and a <see cref="TimeProvider"/>.</summary>
public static class FrontServices
{
    public static IServiceCollection AddResp(this IServiceCollection services, RespFrontOptions options) =>
        services.AddSingleton<IHostedService>(host => new FrontService(stop => RespFront.StartAsync(
            options, host.GetRequiredService<IClientStore>(), host.GetRequiredService<FrontMetrics>(), host.GetRequiredService<TimeProvider>(),
            host.GetRequiredService<ILogger<RespFront>>(), stop)));

    public static IServiceCollection AddLm(this IServiceCollection services, LmFrontOptions options) =>
        services.AddSingleton<IHostedService>(host => new FrontService(stop => LmFront.StartAsync(
            options, host.GetRequiredService<IClientStore>(), host.GetRequiredService<FrontMetrics>(), host.GetRequiredService<TimeProvider>(),
            host.GetRequiredService<ILogger<LmFront>>(), stop)));
}
