using System.Globalization;
using Ferry.Cli.Charts;
using Ferry.Cluster.Planning;
using Ferry.Cluster.Reading;
using Ferry.Kv.Text;
using ScottPlot;
using ScottPlot.Plottables;

namespace Ferry.Cli.Commands.Cluster;

/// <summary>A plan as one picture of four charts.</summary>
internal static class PlanDrawing
{
    private const int Width = 1400;
    private const int Height = 1000;

    /// <param name="path">Ends with .svg or .png.</param>
    public static void Save(PlanReport report, string path)
    {
        ChartFonts.Use();
        var picture = new Multiplot();
        picture.AddPlots(4);
        picture.Layout = new ScottPlot.MultiplotLayouts.Grid(2, 2);
        DrawTransfers(picture.GetPlot(0), report.Plan);
        DrawTiers(picture.GetPlot(1), report.Plan);
        if (report.HitCurve is null)
        {
            DrawMemory(picture.GetPlot(2), report.Plan);
            DrawBalance(picture.GetPlot(3), report.Plan);
        }
        else
        {
            DrawCurve(picture.GetPlot(2), report);
            DrawLatencies(picture.GetPlot(3), report);
        }
        if (Path.GetExtension(path).Equals(".png", StringComparison.OrdinalIgnoreCase))
        {
            picture.SavePng(path, Width, Height);
            return;
        }
        using var stream = File.Create(path);
        using var canvas = SkiaSharp.SKSvgCanvas.Create(new SkiaSharp.SKRect(0, 0, Width, Height), stream);
        picture.Render(canvas, new PixelRect(0, Width, Height, 0));
    }

    /// <summary>Alone and among others, by link.</summary>
    private static void DrawTransfers(Plot plot, CapacityPlan plan)
    {
        var transfers = plan.Transfers.OrderByDescending(transfer => transfer.BytesPerSecond).ToList();
        // A bar begins a power of ten below the shortest time: on this axis there is no nothing.
        var axis = Math.Floor(LogMicroseconds(transfers.Min(transfer => transfer.Seconds))) - 1;
        for (var index = 0; index < transfers.Count; index++)
        {
            var (alone, tail) = (transfers[index].Seconds, transfers[index].Seconds - transfers[index].WireSeconds + transfers[index].Shared[1].TailSeconds);
            Bar(plot, index - 0.2, LogMicroseconds(alone), Colors.SteelBlue, Time(alone), axis);
            Bar(plot, index + 0.2, LogMicroseconds(tail), Colors.SandyBrown, Time(tail), axis);
        }
        Ticks(plot.Axes.Bottom, transfers.Select((transfer, index) => ((double)index, RateText.Format(transfer.BytesPerSecond).Replace(' ', '\n'))));
        Ticks(plot.Axes.Left, Enumerable.Range((int)axis, 12).Select(power => ((double)power, string.Create(CultureInfo.InvariantCulture, $"{Math.Pow(10, power < 6 ? power - 3 : power - 6):0.###} {(power < 6 ? "ms" : "s")}"))));
        Legend(plot, ("alone", Colors.SteelBlue), ("p99 among 4 others", Colors.SandyBrown));
        Titles(plot, $"Hand-over of {Count(plan.PromptTokens)} tokens ({ByteSize.Format(plan.PromptKvBytes)})", "link", "");
    }

    private static void DrawTiers(Plot plot, CapacityPlan plan)
    {
        var pool = plan.Pools[0].Pool;
        var tiers = plan.Tiers.Where(tier => tier.Pool == pool && tier.Tier != "device").ToList();
        for (var index = 0; index < tiers.Count; index++)
        {
            Bar(plot, index, tiers[index].LoadSeconds, tiers[index].LoadingPays ? Colors.SeaGreen : Colors.IndianRed, Time(tiers[index].LoadSeconds));
        }
        plot.Axes.SetLimitsX(-0.6, tiers.Count - 0.4);
        var compute = plot.Add.HorizontalLine(tiers[0].ComputeSeconds);
        compute.LineWidth = 2;
        compute.Color = Colors.Black;
        Ticks(plot.Axes.Bottom, tiers.Select((tier, index) => ((double)index, $"{tier.Tier}\n{RateText.Format(tier.BytesPerSecond)}")));
        Legend(plot, ("loading is faster", Colors.SeaGreen), ("computing is faster", Colors.IndianRed), ($"computing: {Time(tiers[0].ComputeSeconds)}", Colors.Black));
        Titles(plot, $"Load or compute a prompt on {pool}", "", "seconds");
    }

    private static void DrawMemory(Plot plot, CapacityPlan plan)
    {
        for (var index = 0; index < plan.Pools.Count; index++)
        {
            var pool = plan.Pools[index];
            var (weights, kv) = (pool.WeightBytesPerRank / (double)(1 << 30), pool.KvBytesPerRank / (double)(1 << 30));
            plot.Add.Bar(new Bar { Position = index, Value = weights, FillColor = Colors.SlateGray, LineWidth = 0 });
            Label(plot.Add.Bar(new Bar
            {
                Position = index,
                ValueBase = weights,
                Value = weights + kv,
                FillColor = Colors.SteelBlue,
                LineWidth = 0,
                Label = string.Create(CultureInfo.InvariantCulture, $"{kv:0} GiB of KV"),
            }));
        }
        Ticks(plot.Axes.Bottom, plan.Pools.Select((pool, index) => ((double)index, $"{pool.Pool} ({pool.Accelerator})")));
        Legend(plot, ("weights", Colors.SlateGray), ("KV", Colors.SteelBlue));
        Titles(plot, "Memory of one device", "", "GiB");
    }

    private static void DrawBalance(Plot plot, CapacityPlan plan)
    {
        const string Undivided = "no hand-over:\nevery node does both";
        (string Name, double Rate)[] sides =
        [
            ("prefill", plan.Balance.PrefillRequestsPerSecond), ("decode", plan.Balance.DecodeRequestsPerSecond),
            .. plan.Balance.LinkRequestsPerSecond is { } link and < double.PositiveInfinity ? [("network", link)] : Array.Empty<(string, double)>(), (Undivided, plan.Balance.TogetherRequestsPerSecond),
        ];
        for (var index = 0; index < sides.Length; index++)
        {
            var color = sides[index].Name == plan.Balance.Bottleneck ? Colors.IndianRed : sides[index].Name == Undivided ? Colors.SlateGray : Colors.SteelBlue;
            Bar(plot, index, sides[index].Rate, color, string.Create(CultureInfo.InvariantCulture, $"{sides[index].Rate:0.##}"));
        }
        Ticks(plot.Axes.Bottom, sides.Select((side, index) => ((double)index, side.Name)));
        Legend(plot, ("the limit", Colors.IndianRed), ("the same nodes undivided", Colors.SlateGray));
        Titles(plot, "What each side carries", "", "requests/s");
    }

    private static void DrawCurve(Plot plot, PlanReport report)
    {
        var curve = report.HitCurve!;
        var line = plot.Add.Scatter(curve.Select(point => Math.Log10(point.Bytes)).ToArray(), curve.Select(point => point.Ratio * 100).ToArray());
        line.LineWidth = 2;
        line.Color = Colors.SteelBlue;
        var marks = 0;
        foreach (var tier in report.Plan.Tiers.Where(tier => tier.Pool == report.Plan.Pools[0].Pool && tier.Bytes > 0))
        {
            var mark = plot.Add.VerticalLine(Math.Log10(tier.Bytes));
            mark.LinePattern = LinePattern.Dashed;
            mark.Color = Colors.Gray;
            // Beside the line, each a little lower than the one before, since sizes are often near each other.
            var text = plot.Add.Text(tier.Tier, Math.Log10(tier.Bytes), curve[^1].Ratio * 100 * (1 - (0.08 * ++marks)));
            text.LabelFontSize = 13;
            text.LabelFontColor = Colors.Gray;
            text.OffsetX = 4;
        }
        Ticks(plot.Axes.Bottom, Enumerable.Range(9, 7).Select(power => ((double)power, RateText.Format(Math.Pow(10, power)).Replace("/s", "", StringComparison.Ordinal))));
        Titles(plot, $"What one cache of some size hits ({report.CurvePolicy})", "size", "blocks found, %");
        plot.Axes.SetLimitsY(0, Math.Max(1, curve.Max(point => point.Ratio) * 110));
    }

    private static void DrawLatencies(Plot plot, PlanReport report)
    {
        var figures = report.Simulation!.FirstToken;
        (string Name, double Seconds)[] rows = [("median", figures.Median), ("p90", figures.P90), ("p99", figures.P99), ("longest", figures.Maximum)];
        for (var index = 0; index < rows.Length; index++)
        {
            Bar(plot, index, rows[index].Seconds, Colors.SteelBlue, Time(rows[index].Seconds));
        }
        Ticks(plot.Axes.Bottom, rows.Select((row, index) => ((double)index, row.Name)));
        Titles(plot, string.Create(CultureInfo.InvariantCulture, $"First token of {report.Simulation.Served:N0} requests at {report.Simulation.RequestsPerSecond:0.##}/s"), "", "seconds");
    }

    private static void Bar(Plot plot, double position, double value, Color color, string label, double from = 0) =>
        Label(plot.Add.Bar(new Bar { Position = position, ValueBase = from, Value = value, FillColor = color, LineWidth = 0, Size = 0.38, Label = label }));

    private static void Label(BarPlot bar)
    {
        bar.ValueLabelStyle.FontSize = 11;
        bar.ValueLabelStyle.Bold = false;
    }

    /// <summary>In microseconds, so that it is positive: labels of negative bars hang below them.</summary>
    private static double LogMicroseconds(double seconds) => Math.Log10(seconds * 1e6);

    private static string Time(double seconds) => seconds switch
    {
        < 0.9995 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e3:G3} ms"),
        < 99.5 => string.Create(CultureInfo.InvariantCulture, $"{seconds:G3} s"),
        < 5970 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:G2} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.#} h"),
    };

    private static void Ticks(IAxis axis, IEnumerable<(double Position, string Label)> ticks)
    {
        var generator = new ScottPlot.TickGenerators.NumericManual();
        foreach (var (position, label) in ticks)
        {
            generator.AddMajor(position, label);
        }
        axis.TickGenerator = generator;
    }

    private static void Legend(Plot plot, params (string Text, Color Color)[] entries)
    {
        foreach (var (text, color) in entries)
        {
            plot.Legend.ManualItems.Add(new LegendItem { LabelText = text, FillColor = color });
        }
        plot.Legend.Orientation = Orientation.Horizontal;
        plot.ShowLegend(Edge.Bottom);
    }

    private static void Titles(Plot plot, string title, string bottom, string left)
    {
        plot.Title(title);
        plot.XLabel(bottom);
        plot.YLabel(left);
        plot.Axes.Margins(bottom: 0, top: 0.12);
    }

    private static string Count(int number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
