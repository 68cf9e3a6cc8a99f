using System.Globalization;
using System.Net;
using Ferry.TestKit.Router;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Forwarder;

namespace Ferry.Benchmarks.Router;

/// <summary>What this program is when the router's benchmark starts it again: the pods, or a bare YARP.</summary>
internal static class RouterRoles
{
    public const string Pods = "router-pods";
    public const string Yarp = "router-yarp";

    /// <summary>PREFILL_PORT DECODE_PORT BLOCKS EVENTS PREFILL_MS FIRST_MS TOKEN_MS HOLD TELLS_HELD.</summary>
    public static void RunPods(string[] args)
    {
        var numbers = args.Select(text => int.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        RunPodsAsync(numbers).GetAwaiter().GetResult();
    }

    /// <summary>PORT DECODE_URL: passes everything on, one leg.</summary>
    public static void RunYarp(string[] args)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, int.Parse(args[0], CultureInfo.InvariantCulture)));
        builder.Services.AddHttpForwarder();
        var app = builder.Build();
        var forwarder = app.Services.GetRequiredService<IHttpForwarder>();
        var http = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false, UseCookies = false, ActivityHeadersPropagator = null, AllowAutoRedirect = false });
        app.Run(async context => await forwarder.SendAsync(context, args[1], http));
        app.StartAsync().GetAwaiter().GetResult();
        _ = Console.In.ReadToEnd();   // ends with the program that started it
    }

    private static async Task RunPodsAsync(int[] numbers)
    {
        var held = numbers[8] != 0 ? new HeldTimes() : null;
        await using var prefill = await SteadyPod.StartAsync(new SteadyPodOptions(numbers[2], 1, TimeSpan.FromMilliseconds(numbers[4]), Port: numbers[0], Held: held));
        await using var decode = await SteadyPod.StartAsync(new SteadyPodOptions(
            0, numbers[3], TimeSpan.FromMilliseconds(numbers[5]), TimeSpan.FromMilliseconds(numbers[6]), numbers[7] != 0, numbers[1], held));
        await Console.In.ReadToEndAsync();
    }
}
