using ScottPlot;
using SkiaSharp;

namespace Ferry.Cli.Charts;

/// <summary>The font of charts, out of the program itself: a server often has none, and a chart without letters would be drawn without a word of warning.</summary>
internal sealed class ChartFonts : IFontResolver
{
    private const string Name = "DejaVu Sans";

    private static readonly Lazy<ChartFonts> Installed = new(() =>
    {
        var fonts = new ChartFonts();
        ScottPlot.Fonts.FontResolvers.Insert(0, fonts);
        ScottPlot.Fonts.Default = Name;
        return fonts;
    });

    private readonly SKTypeface _regular = Load("DejaVuSans.ttf");
    private readonly SKTypeface _bold = Load("DejaVuSans-Bold.ttf");

    /// <summary>Makes it the font of every chart that is drawn from now on.</summary>
    public static void Use() => _ = Installed.Value;

    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) => fontName == Name ? weight >= FontWeight.SemiBold ? _bold : _regular : null;

    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) => fontName == Name ? bold ? _bold : _regular : null;

    private static SKTypeface Load(string file)
    {
        using var stream = typeof(ChartFonts).Assembly.GetManifestResourceStream(file)!;
        return SKTypeface.FromStream(stream);
    }
}
