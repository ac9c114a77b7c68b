import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import org.apache.lucene.analysis.core.KeywordAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.FieldType;
import org.apache.lucene.document.IntPoint;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexOptions;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopScoreDocCollector;
import org.apache.lucene.search.similarities.BooleanSimilarity;
import org.apache.lucene.store.MMapDirectory;

/**
 * Lucene with the same people, the same queries and the same score (population.h), told what to
 * do line by line as engine_run.c is: load, ask, answers.
 *
 * One segment, no query cache, scores by boosts alone (BooleanSimilarity), top 50 with block-max
 * WAND.  Documents are added in the order of their ids, so that ties fall as ours do.
 *
 * usage: LuceneRun FOLDER
 */
public final class LuceneRun {
    private static final int BEST = 50, REGIONS = 40, LANGUAGES = 8, YEARS = 32, REQUIRED = 5;
    private static final int QUERY_BYTES = 424, YEAR_AT = 88, LANGUAGES_AT = 152, LATEST_AT = 154;
    private static final int COUNT_AT = 156, TERMS_AT = 158, POINTS_AT = 286, REQUIRED_AT = 414;

    private final Path folder;
    private final MappedByteBuffer people, queries;
    private IndexSearcher searcher;

    private LuceneRun(String folder) throws IOException {
        this.folder = Paths.get(folder);
        people = map("people.bin");
        queries = map("queries.bin");
    }

    private MappedByteBuffer map(String name) throws IOException {
        try (FileChannel file = FileChannel.open(folder.resolve(name))) {
            MappedByteBuffer bytes = file.map(FileChannel.MapMode.READ_ONLY, 0, file.size());
            bytes.order(ByteOrder.LITTLE_ENDIAN);
            return bytes;
        }
    }

    private static int padded(int bytes) {
        return (bytes + 7) / 8 * 8;
    }

    private static String name(int number) {
        return Integer.toString(number, 36);
    }

    private static FieldType plain() {
        FieldType type = new FieldType();
        type.setIndexOptions(IndexOptions.DOCS);
        type.setTokenized(false);
        type.setOmitNorms(true);
        type.freeze();
        return type;
    }

    private void write(Path index) throws IOException {
        int count = (int) people.getLong(0);
        int first = 64;
        int day = first + padded(8 * (count + 1));
        int region = day + 2 * padded(2 * count);
        int languages = region + padded(count);
        int year = languages + padded(count);
        int terms = year + padded(count);
        FieldType plain = plain();
        IndexWriterConfig config = new IndexWriterConfig(new KeywordAnalyzer());
        config.setRAMBufferSizeMB(512);
        config.setSimilarity(new BooleanSimilarity());
        try (IndexWriter writer = new IndexWriter(new MMapDirectory(index), config)) {
            for (int i = 0; i < count; i++) {
                Document document = new Document();
                long end = people.getLong(first + 8 * (i + 1));
                for (long j = people.getLong(first + 8 * i); j < end; j++) {
                    int term = people.getShort(terms + (int) (2 * j)) & 0xffff;
                    document.add(new Field("term", name(term), plain));
                }
                document.add(new Field("region", name(people.get(region + i)), plain));
                document.add(new Field("year", name(people.get(year + i)), plain));
                for (int k = 0; k < LANGUAGES; k++)
                    if ((people.get(languages + i) >> k & 1) == 1)
                        document.add(new Field("language", name(k), plain));
                int from = people.getShort(day + 2 * i) & 0xffff;
                document.add(new IntPoint("day", from));
                document.add(new NumericDocValuesField("day", from));
                writer.addDocument(document);
            }
            writer.forceMerge(1);
        }
    }

    private String load() throws IOException {
        Path index = folder.resolve("lucene");
        long begun = System.nanoTime();
        if (!Files.exists(index))
            write(index);
        long size = 0;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(index)) {
            for (Path file : files)
                size += Files.size(file);
        }
        searcher = new IndexSearcher(DirectoryReader.open(new MMapDirectory(index)));
        searcher.setSimilarity(new BooleanSimilarity());
        searcher.setQueryCache(null);
        return String.format("%.2f\t%.1f", (System.nanoTime() - begun) / 1e9,
                             size / (double) people.getLong(0));
    }

    private int number(int query, int at) {
        return queries.getShort(QUERY_BYTES * query + at) & 0xffff;
    }

    private static Query term(String field, int number) {
        return new TermQuery(new Term(field, name(number)));
    }

    private Query query(int query, boolean strict) {
        long allowed = queries.getLong(QUERY_BYTES * query);
        BooleanQuery.Builder all = new BooleanQuery.Builder();
        BooleanQuery.Builder regions = new BooleanQuery.Builder();
        BooleanQuery.Builder languages = new BooleanQuery.Builder();
        BooleanQuery.Builder points = new BooleanQuery.Builder();
        for (int k = 0; k < number(query, COUNT_AT); k++)
            points.add(new BoostQuery(term("term", number(query, TERMS_AT + 2 * k)),
                                      number(query, POINTS_AT + 2 * k)), Occur.SHOULD);
        for (int k = 0; k < REGIONS; k++) {
            if ((allowed >> k & 1) == 0)
                continue;
            regions.add(term("region", k), Occur.SHOULD);
            if (number(query, 8 + 2 * k) > 0)
                points.add(new BoostQuery(term("region", k), number(query, 8 + 2 * k)),
                           Occur.SHOULD);
        }
        for (int k = 0; k < YEARS; k++)
            if (number(query, YEAR_AT + 2 * k) > 0)
                points.add(new BoostQuery(term("year", k), number(query, YEAR_AT + 2 * k)),
                           Occur.SHOULD);
        for (int k = 0; k < LANGUAGES; k++)
            if ((number(query, LANGUAGES_AT) >> k & 1) == 1)
                languages.add(term("language", k), Occur.SHOULD);
        all.add(regions.build(), Occur.FILTER);
        all.add(languages.build(), Occur.FILTER);
        all.add(IntPoint.newRangeQuery("day", 0, number(query, LATEST_AT)), Occur.FILTER);
        for (int k = 0; strict && k < REQUIRED; k++)
            all.add(term("term", number(query, REQUIRED_AT + 2 * k)), Occur.FILTER);
        all.add(points.build(), Occur.MUST);
        return all.build();
    }

    private ScoreDoc[] best(Query query) throws IOException {
        TopScoreDocCollector best = TopScoreDocCollector.create(BEST, null, BEST);
        searcher.search(query, best);
        return best.topDocs().scoreDocs;
    }

    private String ask(boolean strict, int count, int repeat) throws IOException {
        Query[] asked = new Query[count];
        double[] taken = new double[count * repeat];
        double sum = 0;
        for (int i = 0; i < count; i++)
            asked[i] = query(i, strict);
        for (int i = 0; i < count * repeat; i++) {
            long begun = System.nanoTime();
            best(asked[i % count]);
            taken[i] = (System.nanoTime() - begun) / 1e3;
            sum += taken[i];
        }
        Arrays.sort(taken);
        return String.format("%.2f\t%.1f\t%.1f", taken.length * 1e6 / sum,
                             taken[taken.length / 2], taken[(int) (taken.length * 0.99)]);
    }

    private String answers(boolean strict, int count, String path) throws IOException {
        try (PrintWriter file = new PrintWriter(path)) {
            for (int i = 0; i < count; i++) {
                StringBuilder line = new StringBuilder(Integer.toString(i));
                for (ScoreDoc hit : best(query(i, strict)))
                    line.append(' ').append(hit.doc).append(':').append((int) hit.score);
                file.println(line);
            }
        }
        return Integer.toString(count);
    }

    private String obey(String[] words) throws IOException {
        boolean strict = words.length > 1 && words[1].equals("strict");
        switch (words[0]) {
        case "load":
            return load();
        case "ask":
            return ask(strict, Integer.parseInt(words[2]), Integer.parseInt(words[3]));
        case "answers":
            return answers(strict, Integer.parseInt(words[2]), words[3]);
        default:
            throw new IOException("unknown: " + words[0]);
        }
    }

    public static void main(String[] arguments) throws IOException {
        LuceneRun run = new LuceneRun(arguments[0]);
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = input.readLine()) != null;) {
            System.out.println(run.obey(line.split(" ")));
            System.out.flush();
        }
    }
}
